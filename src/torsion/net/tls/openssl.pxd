cimport cython

from .engine cimport TLSEngine
from .records cimport Records


@cython.final
cdef class OpenSSLEngine(TLSEngine):
    cdef public object connection
    cdef bint _begun
    cdef Records _records
    cdef Py_ssize_t _made
