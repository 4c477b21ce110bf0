cimport cython


cdef extern from *:
    ctypedef bint flag "_Bool"  # a bint of one byte


cdef class Unsent:
    cdef flush(self)
    cdef who(self)


cdef class Watch(Unsent):
    cdef int _fd
    cdef unsigned char _interest
    cdef unsigned char _applied
    cdef flag _noted
    cdef unsigned int _born

    cdef _begin_watch(self, int fd)
    cdef on_ready(self, int ready)


@cython.final
cdef class Told(Watch):
    cdef object _handler
    cdef object _tell


@cython.final
cdef class Queue:
    cdef readonly Py_ssize_t length
    cdef list _places
    cdef Py_ssize_t _first

    @cython.locals(places=list, end=Py_ssize_t)
    cdef add(self, Unsent unsent)
    @cython.locals(places=list, first=Py_ssize_t, unsent=Unsent)
    cdef Unsent take(self)
