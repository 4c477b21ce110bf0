cimport cython

cdef Py_ssize_t SMALL, JOINED, MOST


@cython.final
cdef class Outbox:
    cdef readonly Py_ssize_t size
    cdef object _head
    cdef Py_ssize_t _sent
    cdef list _rest
    cdef Py_ssize_t _next

    @cython.locals(length=Py_ssize_t)
    cpdef append(self, object data)
    cpdef extend(self, object pieces)
    cpdef bint over(self, Py_ssize_t limit) except -1
    @cython.locals(left=Py_ssize_t)
    cpdef view(self, Py_ssize_t limit)
    cdef whole(self)
    @cython.locals(rest=list, found=list, at=Py_ssize_t, length=Py_ssize_t)
    cpdef list pieces(self, Py_ssize_t limit)
    @cython.locals(length=Py_ssize_t)
    cpdef take(self, Py_ssize_t count)
    cpdef clear(self)
    @cython.locals(rest=list, run=list, total=Py_ssize_t, length=Py_ssize_t, at=Py_ssize_t, end=Py_ssize_t)
    cdef _join(self)
    @cython.locals(rest=list)
    cdef _advance(self)
    cdef _left(self, Py_ssize_t at)
