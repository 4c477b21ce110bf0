cdef class Sys:
    @staticmethod
    cdef double now(object clock) except? -1
    @staticmethod
    cdef int check_signals() except -1
    @staticmethod
    cdef object recv(int fd, Py_ssize_t size)
    @staticmethod
    cdef object recvmsg(int fd, Py_ssize_t size, list descriptors)
    @staticmethod
    cdef Py_ssize_t send(int fd, object data) except? -1
    @staticmethod
    cdef object read(int fd, Py_ssize_t size)
    @staticmethod
    cdef Py_ssize_t sendmsg(int fd, list pieces) except? -1
    @staticmethod
    cdef int hang_up(int fd, bint abort, bint shared) except -1
    @staticmethod
    cdef int option(int fd, int level, int name) except? -1
    @staticmethod
    cdef int set_option(int fd, int level, int name, int value) except -1
    @staticmethod
    cdef object accept(int fd, object listening)
    @staticmethod
    cdef object new(object kind)
    @staticmethod
    cdef object receive_from(int fd, object skt, Py_ssize_t size)
    @staticmethod
    cdef Py_ssize_t send_to(int fd, object skt, int family, object data, object address) except? -1


cdef class Events:
    cdef readonly int fd
    cdef readonly int ready
    cdef readonly bint more

    cdef int wait(self, double seconds) except -1
    cdef bint next(self) except -1


cdef class EpollSet(Events):
    cdef int _fd
    cdef int _at
    cdef int _count
    cdef void *_events

    cdef int _control(self, int operation, int fd, int interest) except -1
    cpdef add(self, int fd, int interest)
    cpdef change(self, int fd, int interest)
    cpdef remove(self, int fd)
    cpdef int fileno(self) except? -1
    cpdef close(self)
