from ...twin.kernel cimport EpollSet


cdef class EpollPoller:
    cdef readonly EpollSet events
