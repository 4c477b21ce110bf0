cimport cython

from ..twin.kernel cimport Sys
from .stream cimport Stream

cdef int NOTHING, NO_FIGURES
cdef Py_ssize_t BATCH


cdef class Datagrams(Stream):
    cdef public Py_ssize_t maxPacketSize
    cdef public object _connectedAddr
    cdef public int _family
    cdef bint _halted

    cpdef _socket_object(self)
    cpdef _close_socket(self)
    cpdef startReading(self)
    cpdef stopReading(self)
    cdef on_ready(self, int ready)
    @cython.locals(count=Py_ssize_t, taken=Py_ssize_t, most=Py_ssize_t)
    cdef _receive(self)
    @cython.locals(count=Py_ssize_t, taken=Py_ssize_t)
    cpdef doRead(self)
    cdef _deliver(self, data, address)
    cdef _receiving_failed(self, int error)
    cdef _fail(self, failure)
    cdef _is_fatal(self, error)
    cdef _refused(self)
    @cython.locals(sent=Py_ssize_t)
    cpdef write(self, object datagram, object addr=*)
    cdef _write_by_object(self, datagram, addr)
