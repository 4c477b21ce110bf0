cimport cython

from ..twin.kernel cimport Sys


@cython.final
cdef class Keeper:
    cdef object canceller, resetter, seconds
    cdef Keeper retired

    cdef Keeper retire(self)


cdef class Timer:
    cdef public double time, delayed_time
    cdef public object func, args, kw
    cdef Keeper keeper
    cdef readonly double due
    cdef long long born
    cdef public unsigned char called, cancelled
    cdef unsigned char noted


cdef check_active(Timer call)
cpdef settle_delay(Timer call)
cpdef note(call)
cdef note_call(call)
cdef describe_timer(call)
