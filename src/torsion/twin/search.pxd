cdef class Bytes:
    @staticmethod
    cdef Py_ssize_t find(bytes data, bytes what, Py_ssize_t start) except -2
