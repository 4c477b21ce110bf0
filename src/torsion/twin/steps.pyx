# Compiled twin of steps.py: same class, same meaning.

from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF

cdef extern from "Python.h":
    int Py_EnterRecursiveCall(const char *where) except -1
    void Py_LeaveRecursiveCall()
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    # PYGEN_ERROR is -1, PYGEN_RETURN 0, PYGEN_NEXT 1
    int PyIter_Send(object iterator, object value, PyObject **result) except -1


cdef class Stack:
    @staticmethod
    cdef int enter() except -1:
        return Py_EnterRecursiveCall(" while running callbacks")

    @staticmethod
    cdef void leave() noexcept:
        Py_LeaveRecursiveCall()


cdef class Stepper:
    def __init__(self, generator, context):
        self.generator = generator
        self.context = context
        self.finished = False

    cdef object step(self, object value):
        cdef PyObject *out = NULL
        cdef object context = self.context, result
        PyContext_Enter(context)
        try:
            self.finished = PyIter_Send(self.generator, value, &out) == 0
        finally:
            PyContext_Exit(context)
        result = <object>out
        Py_XDECREF(out)
        return result

    cdef object throw(self, object failure):
        cdef object context = self.context
        PyContext_Enter(context)
        try:
            return failure.throwExceptionIntoGenerator(self.generator)
        except StopIteration as stop:
            self.finished = True
            return stop.value
        finally:
            PyContext_Exit(context)
