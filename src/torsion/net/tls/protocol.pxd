cimport cython

from ...core.outbox cimport Outbox
from ...engine.turn cimport Engine
from ...engine.watch cimport Unsent
from ..stream cimport Stream
from .engine cimport TLSEngine

cdef int HANDSHAKING, LEAVING, OPEN, CLOSING, SHUT, ENDED, LOST, NEW
cdef Py_ssize_t JOINED, PORTION


cdef class TLSLayer(Unsent):
    cdef public object factory
    cdef public object wrappedProtocol
    cdef public object transport
    cdef object _face
    cdef public object _producer
    cdef public object _reason
    cdef bint _connect_wrapped
    cdef public int _state
    cdef public bint connected
    cdef public bint disconnecting
    cdef bint _busy
    cdef bint _queued
    cdef public TLSEngine _tls
    cdef Outbox _outbox
    cdef Stream _stream
    cdef Engine _loop
    cdef object _send_down
    cdef object _timer
    cdef list _drains
    cdef bint _below_asked

    cpdef connectionLost(self, face, reason)
    @cython.locals(outer=bint)
    cpdef makeConnection(self, face, transport)
    @cython.locals(tls=TLSEngine, outer=bint)
    cpdef dataReceived(self, data)
    @cython.locals(done=bint)
    cdef _shake(self)
    cdef _stop_timer(self)
    @cython.locals(tls=TLSEngine)
    cdef _deliver(self)
    cdef _end_with_peer(self)
    cdef _flush_later(self)
    @cython.locals(stream=Stream, outer=bint)
    cpdef flush(self)
    cdef _settle(self)
    @cython.locals(tls=TLSEngine, outbox=Outbox, portion=Py_ssize_t, taken=Py_ssize_t)
    cdef _push(self)
    cdef _pass_down(self)
    cdef _drain(self)
    cdef _tell_drained(self, result)
    cdef _fail(self, reason)
    cdef _end(self)
    cdef _enter_end(self)
    cdef _hold_producer(self)
