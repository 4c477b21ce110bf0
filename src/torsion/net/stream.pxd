cimport cython

from ..core.outbox cimport Outbox
from ..core.streamlife cimport after
from ..engine.meter cimport Meter
from ..engine.turn cimport Engine
from ..twin.kernel cimport Sys
from .flow cimport Flow

cdef int OPEN, HALF_CLOSING, CLOSING, HALF_CLOSED, ABORTED, LOST, NEW, AGAIN
cdef Py_ssize_t BUFFER, SEND_LIMIT, ALL, SHORT
cdef dict _native_classes

cpdef engine_of(object reactor, object kind)


cdef class Stream(Flow):
    cdef readonly Meter _meter
    cdef int _fd
    cdef public object _socket
    cdef public object _protocol
    cdef int _interest
    cdef bint _busy
    cdef bint _wanted
    cdef bint _queued
    cdef public object _passing
    cdef public object _peer
    cdef public object _host
    cdef public object _owner
    cdef public object _home
    cdef public object _number

    cpdef _attach(self, int fd, object sock, Engine engine)
    cpdef _take(self, object skt)
    cpdef _open(self, object protocol)
    cdef _watch(self, int interest)
    @cython.locals(outer=bint, reading=bint)
    cpdef on_ready(self, int ready)
    @cython.locals(outer=bint)
    cpdef flush(self)
    cdef _count(self, Py_ssize_t received, Py_ssize_t sent)
    cdef _receive_passed(self)
    cpdef bint hold(self) except -1
    cpdef release(self, bint outer)
    cdef _send_soon(self)
    @cython.locals(count=Py_ssize_t)
    cdef _send(self)
    @cython.locals(outbox=Outbox, sent=Py_ssize_t)
    cdef _send_by_engine(self)
    @cython.locals(before=Py_ssize_t)
    cdef _send_passed(self)
    cdef _send_by_contract(self)
    cdef _all_sent(self)
    cpdef _socket_object(self)
    cdef _end(self, object why, bint reading)
    cpdef _close(self, bint abort)
    cdef _abort(self, error)
    cdef _report(self, where)
