cimport cython

from ..twin.kernel cimport Sys
from .stream cimport Stream


cdef close(object connection)


cdef int AGAIN, REFUSED, NO_MORE


@cython.final
cdef class Batch:
    cdef object _listening
    cdef int _fd
    cdef object _name
    cdef int _most
    cdef readonly int lacking
    cdef readonly int count

    cdef _begin(self, object listening, int most, object name, int lacking)
    cdef int next_most(self)
    @cython.locals(tries=cython.int, error=cython.int)
    cdef take(self)
    cdef _accept(self)
    cdef _report(self, int error)
    cdef _turn_away(self)


@cython.locals(batch=Batch, stream=Stream, most=cython.int, lacking=cython.int, learned=cython.int)
cpdef accept_for(Stream port)
cdef _build(Stream port, object connection, object address_of, object peer)
