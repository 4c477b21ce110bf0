cimport cython

from ..engine.watch cimport Watch

cdef int GONE, READ, WRITE


@cython.final
cdef class Descriptor(Watch):
    cdef public object reader
    cdef public object writer
    cdef readonly object disconnect

    cpdef int interest(self)
    cpdef on_ready(self, int ready)
    cdef _serve(self, object selectable, int ready)
    cdef _event(self, object selectable, int ready)
