cimport cython

cdef Py_ssize_t HEADER, FIRST_TYPE, LAST_TYPE


@cython.final
cdef class Records:
    cdef public Py_ssize_t whole
    cdef Py_ssize_t _ahead
    cdef bytes _head

    @cython.locals(size=Py_ssize_t, at=Py_ssize_t, length=Py_ssize_t)
    cpdef feed(self, bytes data)
