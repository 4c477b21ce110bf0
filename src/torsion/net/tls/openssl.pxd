cimport cython

from .engine cimport TLSEngine
from .records cimport Records

cdef Py_ssize_t RECORD, MOST, ENOUGH, OVERHEAD


@cython.final
cdef class OpenSSLEngine(TLSEngine):
    cdef readonly object connection
    cdef object _calls
    cdef bint _begun
    cdef Records _records
    cdef Py_ssize_t _made

    cpdef use(self, object connection)
