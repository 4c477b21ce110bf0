cimport cython

from ..core.outbox cimport Outbox
from ..core.streamlife cimport after
from ..engine.meter cimport Meter
from ..engine.turn cimport Engine
from ..engine.watch cimport Watch, flag

cdef int OPEN, CLOSING, HALF_CLOSED, ABORTED, LOST, NEW
cdef Outbox EMPTY
cdef dict _native_classes
cdef Meter NOBODYS


cdef class Flow(Watch):
    cdef public object reactor
    cdef public object producer
    cdef public flag streamingProducer
    cdef public flag producerPaused
    cdef flag _disconnecting
    cdef flag _ended
    cdef flag _busy
    cdef flag _wanted
    cdef flag _queued
    cdef public unsigned char _life
    cdef Engine _engine
    cdef Outbox _outbox
    cdef Py_ssize_t _pause_above
    cdef Py_ssize_t _abort_above
    cdef list _drains

    cdef _begin_flow(self, object reactor)
    cdef _find_engine(self)
    @cython.locals(meter=Meter)
    cpdef _count_bytes(self, Py_ssize_t received, Py_ssize_t sent)
    cdef _put(self, bytes data)
    cdef _forget_written(self)
    cdef _send_soon(self)
    cdef _abort(self, error)
    cdef _tell_drained(self, result)
    @cython.locals(size=Py_ssize_t)
    cdef _note_written(self)
    @cython.locals(size=Py_ssize_t)
    cdef _over_mark(self)
    cdef _pause_producer(self)
