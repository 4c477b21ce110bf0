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
