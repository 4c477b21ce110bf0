cimport cython

from ...twin.kernel cimport Events


@cython.final
cdef class Listed(Events):
    cdef object _wait
    cdef list _found
    cdef Py_ssize_t _at
