cimport cython

from ..core.outbox cimport Outbox
from ..engine.turn cimport Engine

cdef int CLOSING, ABORTED, LOST


cdef class Flow:
    cdef public object reactor
    cdef public object producer
    cdef public object streamingProducer
    cdef public object producerPaused
    cdef Engine _engine
    cdef public int _state
    cdef bint _disconnecting
    cdef Outbox _outbox
    cdef Py_ssize_t _mark
    cdef Py_ssize_t _pause_above
    cdef Py_ssize_t _abort_above
    cdef list _drains

    cdef _send_soon(self)
    cdef _abort(self, error)
    cdef _tell_drained(self, result)
    @cython.locals(size=Py_ssize_t)
    cdef _over_mark(self)
    cdef _pause_producer(self)
