cdef class Asked:
    cdef bint finished

    cdef object ask(self)


cpdef object caught(object kind, object init)
cpdef object attempt(object function, object result, object kind, object init)


cdef class Stack:
    @staticmethod
    cdef int enter() except -1
    @staticmethod
    cdef void leave() noexcept


cdef class Stepper:
    cdef object generator
    cdef object context
    cdef bint finished

    cdef object step(self, object value)
    cdef object throw(self, object failure)
