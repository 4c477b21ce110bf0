cimport cython

from ..core.calls cimport Calls
from ..core.delayed cimport Keeper
from ..core.timers cimport TimerQueue
from ..twin.kernel cimport Events, Sys
from .meter cimport Meter
from .watch cimport Queue, Told, Unsent, Watch


cdef int GONE, BEYOND
cdef double FOREVER, LONGEST
cdef Py_ssize_t TOGETHER


@cython.final
cdef class Engine:
    cdef public object clock
    cdef public object poller
    cdef public object waker
    cdef readonly TimerQueue timers
    cdef readonly Calls calls
    cdef readonly Meter meter
    cdef public bint stopping
    cdef readonly bint alone
    cdef public bint overridden
    cdef public object at_rest
    cdef public object sooner
    cdef public object scheduled
    cdef object _cancel
    cdef Keeper _keeper
    cdef bint _asleep
    cdef public Events events
    cdef list _watches
    cdef public bint carries_streams
    cdef list _changed
    cdef Queue _unsent
    cdef dict _always

    cpdef turn(self, object longest)
    cpdef run(self)
    cpdef run_current(self)
    @cython.locals(meter=Meter, left=cython.double, waits=cython.uint)
    cpdef poll(self, object longest)
    @cython.locals(events=Events, meter=Meter, around=Unsent)
    cdef _deliver(self, unsigned int waits)
    @cython.locals(watch=Watch, meter=Meter, turned=cython.uint)
    cdef bint _deliver_to(self, int fd, int ready, unsigned int waits) except -1
    cpdef flush_later(self, object handler)
    cdef send_later(self, Unsent unsent)
    @cython.locals(unsent=Queue, meter=Meter, around=Unsent, stream=Unsent, left=Py_ssize_t)
    cpdef flush(self)
    @cython.locals(watch=Watch)
    cpdef watched(self)
    @cython.locals(left=cython.double)
    cpdef patience(self, object longest)
    @cython.locals(asleep=cython.bint)
    cdef double _prepare(self, object longest) except -1
    @cython.locals(timers=TimerQueue, due=cython.double, left=cython.double)
    cdef double _left(self, object longest) except -1
    @cython.locals(keeper=Keeper)
    cpdef call_later(self, delay, func, tuple args, dict kw)
    cpdef bint hand_over(self, function, tuple args, dict kwargs) except -1
    cpdef begin(self)
    cpdef leave(self)
    cpdef rest(self)
    cpdef next_due(self)
    cpdef wake(self)
    @cython.locals(watch=Watch)
    cpdef watch(self, object fd, object handler, int interest)
    @cython.locals(fd=cython.int, watches=list)
    cpdef tell(self, Watch watch, int interest)
    @cython.locals(watches=list)
    cdef Watch _watch_of(self, int fd)
    @cython.locals(watch=Watch)
    cpdef forget(self, int fd)
    @cython.locals(watch=Watch, changed=list)
    cdef _apply(self)
    @cython.locals(interest=cython.int)
    cdef _tell_poller(self, Watch watch)
