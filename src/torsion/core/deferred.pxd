import cython

from torsion.twin.steps cimport Asked, Stack, attempt, caught

cdef bint _debugging
cdef object _failure_init
cdef object _NO_RESULT
cdef object _CONTINUE


cdef class Deferred:
    cdef public object _canceller
    cdef object _result
    cdef list _pending
    cdef Py_ssize_t _next
    cdef public object _chainedTo
    cdef public object _debugInfo
    cdef public bint called
    cdef public int paused
    cdef public bint _runningCallbacks
    cdef public bint _suppressAlreadyCalled
    cdef signed char _debug
    cdef dict __dict__
    cdef object __weakref__

    cdef bint _is_debugged(self)
    @cython.locals(pending=list)
    cdef object _add(self, object callback, object errback, tuple extra)
    cdef object _fire(self, object result)
    cdef object _already_called(self)
    @cython.locals(rest=list)
    cpdef object _fire_through(self, object function)
    @cython.locals(target=Deferred, passed=Deferred, steps=Py_ssize_t)
    cdef object _cancel(self)
    cdef object _give_up(self)
    @cython.locals(current=Deferred, waiting=Deferred, unfinished=list)
    cdef object _run(self)
    @cython.locals(pending=list, extra=tuple, at=Py_ssize_t, failed=bint, direct=bint)
    cdef Deferred _advance(self)
    cdef object _caught(self)
    cdef Deferred _hand_over(self, Deferred waiting)
    @cython.locals(pending=list)
    cdef bint _wait_for(self, Deferred inner, object source) except -1
    cdef object _handled(self)
    cdef object _note_unhandled(self)
    cdef object _take(self)


cdef class _Awaiting(Asked):
    cdef Deferred deferred

    @cython.locals(deferred=Deferred)
    cdef object ask(self)


@cython.locals(awaiting=_Awaiting)
cdef object _awaiting(Deferred deferred)
