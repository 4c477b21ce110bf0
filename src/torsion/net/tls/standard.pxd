cimport cython

from .engine cimport TLSEngine

cdef Py_ssize_t RECORD


@cython.final
cdef class StandardEngine(TLSEngine):
    cdef object _incoming
    cdef object _outgoing
    cdef object _object
    cdef object _read
    cdef object _write
    cdef object _pending
    cdef object _feed
    cdef object _take
    cdef object _verify
    cdef object _first
