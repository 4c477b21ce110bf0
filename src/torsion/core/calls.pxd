cimport cython

from ..twin.kernel cimport Sys


@cython.final
cdef class Calls:
    cdef readonly object waiting
    cdef object _append
    cdef object _popleft
    cdef readonly Py_ssize_t taken
    cdef readonly object running

    cpdef put(self, object function, object args=*, object kwargs=*)
    @cython.locals(count=Py_ssize_t, end=Py_ssize_t)
    cpdef Py_ssize_t run_batch(self) except -1
