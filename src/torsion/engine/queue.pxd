cimport cython

from .watch cimport Unsent


@cython.final
cdef class Queue:
    cdef readonly Py_ssize_t length
    cdef list _places
    cdef Py_ssize_t _first

    @cython.locals(places=list, end=Py_ssize_t)
    cdef add(self, Unsent unsent)
    @cython.locals(places=list, first=Py_ssize_t, unsent=Unsent)
    cdef Unsent take(self)
