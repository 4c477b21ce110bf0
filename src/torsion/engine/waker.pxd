from ..twin.kernel cimport Sys


cdef class Waker:
    cdef bytes _token
    cdef readonly int _reader
    cdef readonly int _writer

    cpdef int fileno(self) except? -1
    cpdef wake(self)
    cpdef on_ready(self, int ready)
    cpdef close(self)
