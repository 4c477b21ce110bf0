cimport cython

from ..core.outbox cimport Outbox
from ..core.roster cimport Roster
from ..core.streamlife cimport after
from ..engine.turn cimport Engine
from ..twin.kernel cimport Sys
from .flow cimport Flow

cdef int OPEN, HALF_CLOSING, CLOSING, HALF_CLOSED, ABORTED, LOST, NEW, AGAIN, TCP, NO_DELAY, READ, WRITE, GONE
cdef Py_ssize_t BUFFER, SEND_LIMIT, ALL, SHORT
cdef int _forks


cdef class Stream(Flow):
    cdef public object _socket
    cdef public object _served
    cdef public object _passing
    cdef public object _peer
    cdef public object _owner
    cdef Roster _roster
    cdef public long long _session_number
    cdef int _seat
    cdef int _peer_port
    cdef int _forks

    cdef _begin_stream(self, object reactor)
    @cython.locals(interest=cython.int)
    cpdef _attach(self, int fd, object sock, Engine engine)
    cpdef _take(self, object skt)
    cpdef _open(self, object protocol)
    cpdef startReading(self)
    cpdef stopReading(self)
    cdef _watch(self, int interest)
    @cython.locals(outer=bint, reading=bint, engine=Engine, received=bytes)
    cdef on_ready(self, int ready)
    @cython.locals(outer=bint)
    cdef flush(self)
    cdef _receive_passed(self)
    cpdef bint hold(self) except -1
    cpdef release(self, bint outer)
    cdef _send_soon(self)
    cdef _send_waiting(self)
    @cython.locals(engine=Engine, outbox=Outbox, sent=Py_ssize_t)
    cdef _send_by_engine(self)
    @cython.locals(before=Py_ssize_t)
    cdef _send_passed(self)
    cdef _send_by_contract(self)
    cdef _all_sent(self)
    cpdef _socket_object(self)
    cpdef _set_option(self, int level, int name, int value)
    cdef _end(self, object why, bint reading)
    cdef _enlist(self, Roster roster)
    @cython.locals(roster=Roster, moved=Stream)
    cdef _delist(self)
    cpdef _close_stream(self, bint abort)
    cdef _abort(self, error)
    cdef _report(self, where)
