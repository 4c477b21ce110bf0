cimport cython

cdef double LEAST
cdef int LAST


@cython.final
cdef class Histogram:
    cdef readonly double least
    cdef public long long shortest
    cdef long long[20] _counts

    @cython.locals(bound=cython.double, bucket=cython.int)
    cpdef void add(self, double seconds) noexcept
    @cython.locals(bound=cython.double)
    cpdef dict counts(self)
