cimport cython

from ..twin.kernel cimport Sys
from .delayed cimport Keeper, Timer, settle_delay
from .histogram cimport Histogram

cdef int BUCKETS, BLOCK
cdef long long NOWHERE
cdef double FAR
cdef object NOTHING, due


@cython.final
cdef class Bucket:
    cdef long long key
    cdef list calls
    cdef Timer first


@cython.locals(bucket=Bucket)
cdef Bucket new_bucket(long long key)


@cython.final
cdef class TimerQueue:
    cdef list near, keys, recent
    cdef dict buckets
    cdef double begun
    cdef long long blocks
    cdef public double now
    cdef long long born, seen
    cdef Py_ssize_t head, size, dead, traces
    cdef readonly long long ran
    cdef public object alarm
    cdef readonly Timer running
    cdef readonly Histogram lag

    @cython.locals(kind=type, call=Timer, wait=cython.double)
    cpdef call_later(self, Keeper keeper, delay, func, tuple args, dict kw)
    cpdef add(self, Timer call)
    cpdef cancel(self, Timer call)
    @cython.locals(at=Py_ssize_t, key=cython.longlong, bucket=Bucket)
    cpdef reset(self, Timer call)
    @cython.locals(call=Timer, around=Timer, ran=Py_ssize_t, useless=Py_ssize_t, born=cython.longlong)
    cpdef Py_ssize_t run_due(self, double now) except -1
    @cython.locals(call=Timer, at=Py_ssize_t)
    cdef Timer take_older(self, double now, long long born)
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
    @cython.locals(bucket=Bucket)
    cdef Bucket bucket_of(self, long long key)
    @cython.locals(bucket=Bucket)
    cdef drop(self, key)
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
    cdef report_error(self, call)
