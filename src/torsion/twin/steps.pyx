# Compiled twin of steps.py: same names, same meaning.

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_INCREF, Py_XDECREF

from itertools import count

cdef extern from "Python.h":
    ctypedef struct PyBaseExceptionObject:
        PyObject *dict
    ctypedef int (*sendfunc)(Asked self, object value, PyObject **out) except -1
    ctypedef struct PyAsyncMethods:
        sendfunc am_send
    ctypedef struct PyTypeObject:
        object (*tp_new)(PyTypeObject *kind, tuple args, PyObject *keywords)
        PyAsyncMethods *tp_as_async
    PyObject *PyExc_BaseException
    object PyErr_GetHandledException()
    void PyErr_SetHandledException(PyObject *error)
    PyObject *PyObject_CallOneArg(object function, object argument)
    PyObject *PyException_GetTraceback(object error)
    PyTypeObject *Py_TYPE(object instance)
    bint PyType_IsSubtype(PyTypeObject *kind, PyTypeObject *other)
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    # PYGEN_ERROR is -1, PYGEN_RETURN 0, PYGEN_NEXT 1
    int PyIter_Send(object iterator, object value, PyObject **result) except -1

cdef object _counter = count(1)
next_count = _counter.__next__


cdef extern from *:
    """
    static PyObject *torsion_raised(void) {
    #if PY_VERSION_HEX >= 0x030C0000
        return PyErr_GetRaisedException();
    #else
        PyObject *kind, *error, *tb;
        PyErr_Fetch(&kind, &error, &tb);
        PyErr_NormalizeException(&kind, &error, &tb);
        if (tb != NULL) {
            PyException_SetTraceback(error, tb);
            Py_DECREF(tb);
        }
        Py_DECREF(kind);
        return error;
    #endif
    }
    #define torsion_handled PyErr_GetHandledException
    """
    object torsion_raised()
    PyObject *torsion_handled()


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
    static int torsion_enter(const char *where) {
        return Py_EnterRecursiveCall(where) ? -1 : 0;  /* at the limit it gives 1 */
    }
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


# A Failure of the exception `error`, which is being handled, with the state that its constructor gives it.
cdef object _failure(object kind, object init, object error):
    if kind.__init__ is not init or PyType_IsSubtype(Py_TYPE(error), <PyTypeObject *>kind):
        return kind()
    if type(error) is RecursionError:
        _room()
    cdef PyObject *tb = PyException_GetTraceback(error)
    cdef dict state = {
        "count": next(_counter),
        "type": type(error),
        "value": error,
        "captureVars": False,
        "tb": None if tb is NULL else <object>tb,
    }
    Py_XDECREF(tb)
    made = (<PyTypeObject *>PyExc_BaseException).tp_new(<PyTypeObject *>kind, (), NULL)
    Py_INCREF(state)
    (<PyBaseExceptionObject *>made).dict = <PyObject *>state
    return made


# RecursionError where an errback would have no room to run: it goes on to whoever called us, and has more.
cdef int _room() except -1:
    cdef int levels = 0
    try:
        while levels < 8:
            torsion_enter(" while running callbacks")
            levels += 1
    finally:
        while levels:
            torsion_leave()
            levels -= 1
    return 0


cpdef object caught(object kind, object init):
    return _failure(kind, init, PyErr_GetHandledException())


# `try` would make a frame of ours for the traceback, an eighth of what a callback that raises costs in all.
cpdef object attempt(object function, object result, object kind, object init):
    cdef PyObject *out = PyObject_CallOneArg(function, result)
    if out is NULL:
        return _raised(kind, init)
    value = <object>out
    Py_DECREF(value)  # of the two references one is ours
    return value


cdef object _raised(object kind, object init):
    error = torsion_raised()
    if error.__traceback__ is None:  # it was raised by no interpreted function: ours is better than none
        raise error
    cdef PyObject *handled = torsion_handled()
    PyErr_SetHandledException(<PyObject *>error)
    try:
        return _failure(kind, init, error)
    finally:
        PyErr_SetHandledException(handled)
        Py_XDECREF(handled)


cdef class Asked:
    cdef object ask(self):
        raise NotImplementedError

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        if self.finished:
            raise StopIteration
        value = self.ask()
        if self.finished:
            raise StopIteration(value)
        return value

    def send(self, value):
        return self.__next__()

    def throw(self, kind, value=None, traceback=None):
        self.finished = True
        if isinstance(kind, type) and not isinstance(value, kind):
            kind = kind() if value is None else kind(*value) if isinstance(value, tuple) else kind(value)
        elif value is not None:
            kind = value
        raise kind if traceback is None else kind.with_traceback(traceback)

    def close(self):
        self.finished = True


# How the interpreter asks from `await` (and PyIter_Send): the value comes back with PYGEN_RETURN.
cdef int _send(Asked self, object value, PyObject **out) except -1:
    out[0] = NULL
    result = self.ask()
    Py_INCREF(result)
    out[0] = <PyObject *>result
    return 0 if self.finished else 1


(<PyTypeObject *>Asked).tp_as_async.am_send = <sendfunc>_send
