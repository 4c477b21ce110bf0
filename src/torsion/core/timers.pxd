cimport cython

from ..twin.kernel cimport Sys
from .histogram cimport Histogram

cdef int BUCKETS, BLOCK
cdef double FAR
cdef object NOTHING, due, due_and_order


cdef class Timer:
    cdef public double time, delayed_time
    cdef public object func, args, kw, canceller, resetter, seconds, creator
    cdef public int called, cancelled
    cdef readonly double due
    cdef readonly long long order
    cdef long long born
    cdef str shown

    cpdef activate_delay(self)
    cdef check_active(self)
    cdef str describe(self)


@cython.final
cdef class Bucket:
    cdef list calls
    cdef Timer first


@cython.final
cdef class TimerQueue:
    cdef list near, keys
    cdef dict buckets
    cdef double begun
    cdef long long blocks
    cdef public double now
    cdef long long passes, order, seen
    cdef Py_ssize_t head, size, dead, traces
    cdef readonly long long ran
    cdef public object alarm
    cdef readonly Timer running
    cdef readonly Histogram lag

    @cython.locals(kind=type, call=Timer, wait=cython.double)
    cpdef call_later(self, clock, delay, func, args, kw, cancel, reset)
    cpdef add(self, Timer call)
    cpdef cancel(self, Timer call)
    @cython.locals(at=Py_ssize_t, key=cython.longlong, bucket=Bucket)
    cpdef reset(self, Timer call)
    @cython.locals(call=Timer, around=Timer, ran=Py_ssize_t, this_pass=cython.longlong)
    cpdef Py_ssize_t run_due(self, double now) except -1
    @cython.locals(call=Timer)
    cpdef next_due(self)
    @cython.locals(call=Timer)
    cdef double next_time(self) except? -1
    @cython.locals(first=Timer, bucket=Bucket, calls=list)
    cdef Timer earliest(self)
    cdef bint is_passed_over(self, Timer call) noexcept
    @cython.locals(each=Timer, bucket=Bucket, calls=list, gone=list)
    cdef pass_over(self, Timer call)
    @cython.locals(call=Timer, found=list)
    cpdef list calls(self)
    @cython.locals(last=Timer)
    cdef file(self, Timer call)
    @cython.locals(bucket=Bucket, key=cython.longlong)
    cdef put(self, Timer call)
    @cython.locals(key=cython.longlong)
    cdef long long key_of(self, double when) noexcept
    @cython.locals(key=cython.longlong)
    cdef open(self, double now)
    @cython.locals(call=Timer, bucket=Bucket, calls=list)
    cdef divide(self, long long blocks)
    @cython.locals(call=Timer, bucket=Bucket, kept=list)
    cdef list settled(self, key)
    @cython.locals(call=Timer, bucket=Bucket, calls=list)
    cdef purge(self)
    cdef report_error(self, Timer call)
