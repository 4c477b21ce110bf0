cdef class TLSEngine:
    cdef public bint ended
    cdef public bint notified

    cpdef feed(self, object data)
    cpdef outgoing(self)
    cpdef bint handshake(self) except -1
    cpdef verify(self)
    cpdef read(self)
    cpdef Py_ssize_t write(self, object data) except -1
    cpdef close(self)
