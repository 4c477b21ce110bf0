import cython

from torsion.core.deferred cimport Deferred
from torsion.twin.steps cimport Stepper

cdef object _NOT_READY


cdef class Driver(Stepper):
    cdef Deferred deferred
    cdef Deferred waiting_on
    cdef bint resuming
    cdef object resumed_with

    cpdef Deferred start(self)
    @cython.locals(yielded=Deferred)
    cpdef object resume(self, object result)
    @cython.locals(deferred=Deferred)
    cdef object _end(self, list ending)
    cdef object _wait_for(self, Deferred deferred)
