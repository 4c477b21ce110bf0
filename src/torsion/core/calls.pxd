cimport cython


@cython.final
cdef class Calls:
    cdef object _waiting
    cdef Py_ssize_t _taken

    cpdef put(self, object function, object args=*, object kwargs=*)
    cpdef Py_ssize_t run_batch(self) except -1
