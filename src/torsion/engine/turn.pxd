cimport cython

from ..core.calls cimport Calls
from ..core.timers cimport TimerQueue
from ..twin.kernel cimport Sys
from .meter cimport Meter


cdef int GONE
cdef Py_ssize_t TOGETHER


@cython.final
cdef class Watch:
    cdef object fd
    cdef object handler
    cdef object on_ready
    cdef long long born
    cdef int interest
    cdef int applied
    cdef bint queued


@cython.final
cdef class Engine:
    cdef public object clock
    cdef public object poller
    cdef public object waker
    cdef readonly TimerQueue timers
    cdef readonly Calls calls
    cdef readonly Meter meter
    cdef public bint stopping
    cdef public bint overridden
    cdef public object at_rest
    cdef public object sooner
    cdef public object scheduled
    cdef object _cancel
    cdef bint _asleep
    cdef public object wait_for_events
    cdef long long _waits
    cdef dict _watches
    cdef public bint carries_streams
    cdef list _changed
    cdef list _unsent
    cdef dict _always

    cpdef turn(self, object longest)
    cpdef run(self)
    cpdef run_current(self)
    @cython.locals(events=list, meter=Meter, left=cython.double, waits=cython.longlong)
    cpdef poll(self, object longest)
    @cython.locals(watch=Watch, meter=Meter, ready=cython.int)
    cdef _deliver(self, list events, long long waits)
    cpdef flush_later(self, object stream)
    @cython.locals(unsent=list, meter=Meter)
    cpdef flush(self)
    @cython.locals(watch=Watch)
    cpdef watched(self)
    @cython.locals(left=cython.double)
    cpdef patience(self, object longest)
    cdef double _prepare(self, object longest) except -1
    @cython.locals(timers=TimerQueue, due=cython.double, left=cython.double)
    cdef double _left(self, object longest) except -1
    cpdef call_later(self, delay, func, tuple args, dict kw)
    cpdef bint hand_over(self, function, tuple args, dict kwargs) except -1
    cpdef begin(self)
    cpdef leave(self)
    cpdef rest(self)
    cpdef next_due(self)
    cpdef wake(self)
    @cython.locals(watch=Watch)
    cpdef watch(self, object fd, object handler, int interest)
    @cython.locals(watch=Watch)
    cpdef forget(self, object fd)
    @cython.locals(watch=Watch, changed=list)
    cdef _apply(self)
    @cython.locals(interest=cython.int)
    cdef _tell_poller(self, Watch watch)
