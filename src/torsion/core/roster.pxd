cimport cython


@cython.final
cdef class Roster:
    cdef list _members
    cdef public object emptied

    cpdef list members(self)
    cpdef int add(self, object member) except -1
    cpdef remove(self, int place)
