from ...twin.kernel cimport EpollSet


cdef class EpollPoller:
    cdef EpollSet _set

    cpdef list wait(self, object timeout)
