# Compiled twin of steps.py: same class, same meaning.

from cpython.object cimport PyObject
from cpython.ref cimport Py_XDECREF

cdef extern from "Python.h":
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    # PYGEN_ERROR is -1, PYGEN_RETURN 0, PYGEN_NEXT 1
    int PyIter_Send(object iterator, object value, PyObject **result) except -1


# From 3.12 on the interpreter counts C calls apart, up to ten times the limit of sys.setrecursionlimit(): a nest of
# callbacks without an interpreted function in it would use up the C stack first. So it is counted here too.
cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030C0000
    #if defined(_MSC_VER)
    #define TORSION_THREAD_LOCAL __declspec(thread)
    #else
    #define TORSION_THREAD_LOCAL __thread
    #endif
    static TORSION_THREAD_LOCAL int torsion_depth;
    static int torsion_enter(const char *where) {
        if (torsion_depth >= Py_GetRecursionLimit()) {
            PyErr_Format(PyExc_RecursionError, "maximum recursion depth exceeded%s", where);
            return -1;
        }
        if (Py_EnterRecursiveCall(where))
            return -1;
        torsion_depth++;
        return 0;
    }
    static void torsion_leave(void) {
        torsion_depth--;
        Py_LeaveRecursiveCall();
    }
    #else
    #define torsion_enter Py_EnterRecursiveCall
    #define torsion_leave Py_LeaveRecursiveCall
    #endif
    """
    int torsion_enter(const char *where) except -1
    void torsion_leave() noexcept


cdef class Stack:
    @staticmethod
    cdef int enter() except -1:
        return torsion_enter(" while running callbacks")

    @staticmethod
    cdef void leave() noexcept:
        torsion_leave()


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
