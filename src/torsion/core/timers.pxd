cimport cython

cdef int FRESH, FILED, PUSHED
cdef int BUCKETS
cdef double FAR
cdef object time_of


cdef class Timer:
    cdef public object time, func, args, kw, canceller, resetter, seconds, creator
    cdef public double delayed_time
    cdef public int called, cancelled
    cdef long long order
    cdef int place
    cdef object shown

    cpdef activate_delay(self)
    cdef check_active(self)
    cdef str describe(self)


@cython.locals(call=Timer)
cdef list filed(list calls)


cdef list current(list heap)
@cython.locals(call=Timer)
cdef bint is_current(tuple entry) except -1


@cython.final
cdef class TimerQueue:
    cdef list fresh, run, heap, keys
    cdef dict buckets
    cdef object soonest
    cdef double begun
    cdef long long order
    cdef Py_ssize_t size, dead

    cpdef add(self, Timer call)
    cpdef cancel(self, Timer call)
    cpdef reset(self, Timer call)
    @cython.locals(call=Timer, ran=Py_ssize_t)
    cpdef run_due(self, now)
    @cython.locals(call=Timer)
    cpdef next_due(self)
    @cython.locals(call=Timer, found=list)
    cpdef calls(self)
    @cython.locals(call=Timer, fresh=list, late=list)
    cdef admit(self)
    @cython.locals(bucket=list, when=double)
    cdef bint file(self, Timer call) except -1
    cdef push(self, Timer call)
    @cython.locals(due=list)
    cdef open(self, now)
    @cython.locals(run=list)
    cdef merge(self, list calls)
    @cython.locals(call=Timer, other=Timer, entry=tuple, run=list, heap=list)
    cdef Timer first(self)
    cdef drop(self)
    @cython.locals(call=Timer, bucket=list)
    cdef find_soonest(self)
    @cython.locals(call=Timer, bucket=list, kept=list)
    cdef purge(self)
    cdef report_error(self, Timer call)
