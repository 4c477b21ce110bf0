cimport cython


@cython.final
cdef class Meter:
    cdef public long long turns
    cdef public long long calls
    cdef public long long timers
    cdef public long long events
    cdef public object running
