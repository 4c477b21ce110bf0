cimport cython

from ..twin.kernel cimport Sys
from .stream cimport Stream


cdef accept(object listening)
cdef close(object connection)


@cython.final
cdef class Batch:
    cdef object _listening
    cdef object _name
    cdef int _most
    cdef readonly int lacking
    cdef readonly int count

    cdef int next_most(self)
    @cython.locals(tries=cython.int, error=cython.int)
    cdef take(self)
    cdef _report(self, int error)
    cdef _turn_away(self)


@cython.locals(batch=Batch, stream=Stream)
cpdef accept_for(object port)
cdef _build(object port, object connection, object address)
