cimport cython

from ..core.calls cimport Calls
from ..core.histogram cimport Histogram
from ..core.timers cimport TimerQueue
from .watch cimport Unsent


@cython.final
cdef class Meter:
    cdef Calls _calls
    cdef TimerQueue _timers
    cdef public long long turns
    cdef public long long events
    cdef public long long received
    cdef public long long sent
    cdef public double busy
    cdef public double idle
    cdef readonly Histogram lag
    cdef public bint at_work
    cdef public double since
    cdef public Unsent running

    @cython.locals(waited=cython.double)
    cdef void work(self, double now) noexcept
    @cython.locals(worked=cython.double)
    cdef void rest(self, double now) noexcept
