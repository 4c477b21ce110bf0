cimport cython

from ..twin.kernel cimport Sys


cpdef accept(object listening)


@cython.final
cdef class Batch:
    cdef object _listening
    cdef Py_ssize_t _most
    cdef object _name
    cdef readonly Py_ssize_t count

    cpdef next_most(self)
    @cython.locals(tries=Py_ssize_t)
    cpdef take(self)
    cdef _report(self, int error)
    cdef _turn_away(self)
