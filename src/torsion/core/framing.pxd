cimport cython


@cython.final
cdef class Held:
    cdef bytes data
    cdef Py_ssize_t at
    cdef bint busy

    cpdef bytes rest(self)
    cpdef replace(self, bytes data)


@cython.locals(held=Held)
cpdef Held held_by(object receiver)
@cython.locals(held=Held, raw=cython.p_char, start=Py_ssize_t, end=Py_ssize_t, size=Py_ssize_t, length=Py_ssize_t, whole=bytes)
cpdef receive_strings(object receiver, object data)
