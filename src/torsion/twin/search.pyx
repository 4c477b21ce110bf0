# Compiled twin of search.py: same class, same meaning.

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr


cdef class Bytes:
    @staticmethod
    cdef Py_ssize_t find(bytes data, bytes what, Py_ssize_t start) except -2:
        cdef Py_ssize_t length = PyBytes_GET_SIZE(what)
        if length == 0 or length > 2:  # the interpreter's search is better where first letters mislead
            return data.find(what, start)
        cdef const char *begin = PyBytes_AS_STRING(data)
        cdef const char *wanted = PyBytes_AS_STRING(what)
        cdef const char *last = begin + PyBytes_GET_SIZE(data) - length  # where it can begin at the latest
        cdef const char *at = begin + start
        while at <= last:
            at = <const char *>memchr(at, wanted[0], last - at + 1)
            if at == NULL:
                return -1
            if length == 1 or at[1] == wanted[1]:
                return at - begin
            at += 1
        return -1
