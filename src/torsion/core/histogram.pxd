cimport cython

cdef double LEAST
cdef int LAST


@cython.final
cdef class Histogram:
    cdef long long[20] _counts

    @cython.locals(bound=cython.double, bucket=cython.int)
    cpdef add(self, double seconds)
    @cython.locals(bound=cython.double)
    cpdef dict counts(self)
