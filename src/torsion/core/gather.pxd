import cython

from torsion.core.deferred cimport Deferred


cdef class DeferredList(Deferred):
    cdef public list resultList
    cdef public Py_ssize_t finishedCount
    cdef public object fireOnOneCallback
    cdef public object fireOnOneErrback
    cdef public object consumeErrors
    cdef public list _deferredList

    @cython.locals(plain=Deferred, index=Py_ssize_t)
    cdef object _listen(self, list inners)


cdef class _Slot:
    cdef DeferredList owner
    cdef Py_ssize_t index
