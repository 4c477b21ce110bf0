cimport cython

from ..core.calls cimport Calls
from ..core.timers cimport Keeper, TimerQueue
from ..twin.kernel cimport Sys
from .meter cimport Meter


cdef extern from *:
    ctypedef bint flag "_Bool"  # a bint of one byte

cdef int GONE, BEYOND
cdef Py_ssize_t TOGETHER


cdef class Watch:
    cdef int _fd
    cdef unsigned char _interest
    cdef unsigned char _applied
    cdef flag _noted
    cdef unsigned int _born

    cdef _begin_watch(self, int fd)
    cdef on_ready(self, int ready)
    cdef _who(self)


@cython.final
cdef class Told(Watch):
    cdef object _handler
    cdef object _tell


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
    cdef Keeper _keeper
    cdef bint _asleep
    cdef public object wait_for_events
    cdef unsigned int _waits
    cdef list _watches
    cdef public bint carries_streams
    cdef list _changed
    cdef list _unsent
    cdef dict _always

    cpdef turn(self, object longest)
    cpdef run(self)
    cpdef run_current(self)
    @cython.locals(events=list, meter=Meter, left=cython.double, waits=cython.uint)
    cpdef poll(self, object longest)
    @cython.locals(watch=Watch, meter=Meter, fd=cython.int, ready=cython.int)
    cdef _deliver(self, list events, unsigned int waits)
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
    cdef Watch _watch_of(self, int fd)
    @cython.locals(watch=Watch)
    cpdef forget(self, int fd)
    @cython.locals(watch=Watch, changed=list)
    cdef _apply(self)
    @cython.locals(interest=cython.int)
    cdef _tell_poller(self, Watch watch)
