# cython: language_level=3, annotation_typing=False
"""The compiled version of kernel.py: same classes, same meaning; the docstrings are there."""

from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from libc.errno cimport EINTR, errno
from libc.math cimport ceil
from posix.time cimport CLOCK_REALTIME, clock_gettime, timespec
from posix.unistd cimport close as c_close

import time

READ = 1
WRITE = 2
GONE = 4
MAX_EVENTS = 512

cdef object wall_clock = time.time
cdef list NOTHING = []  # nobody writes to what wait() returns

# Elsewhere than on Linux the class exists, so that the whole package compiles, and cannot be made.
cdef extern from *:
    """
    #include <errno.h>
    #ifdef __linux__
    #include <sys/epoll.h>
    #else
    #include <stdint.h>
    enum { EPOLLIN = 1, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 16 };
    enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3, EPOLL_CLOEXEC = 0 };
    typedef union { int fd; } epoll_data_t;
    struct epoll_event { uint32_t events; epoll_data_t data; };
    static int epoll_create1(int flags) { errno = ENOSYS; return -1; }
    static int epoll_ctl(int s, int o, int f, struct epoll_event *e) { errno = ENOSYS; return -1; }
    static int epoll_wait(int s, struct epoll_event *e, int n, int t) { errno = ENOSYS; return -1; }
    #endif
    """
    int EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP
    int EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLL_CLOEXEC
    ctypedef union epoll_data_t:
        int fd
    struct epoll_event:
        unsigned int events
        epoll_data_t data
    int epoll_create1(int flags)
    int epoll_ctl(int epfd, int op, int fd, epoll_event *event)
    int epoll_wait(int epfd, epoll_event *events, int maxevents, int timeout) nogil


cdef class Sys:
    @staticmethod
    cdef double now(object clock) except? -1:
        cdef timespec read
        if clock is wall_clock and clock_gettime(CLOCK_REALTIME, &read) == 0:
            return <double> (read.tv_sec * 1000000000LL + read.tv_nsec) / 1e9  # rounded as time.time rounds
        return clock()

    @staticmethod
    cdef int check_signals() except -1:
        return PyErr_CheckSignals()


cdef class EpollSet:
    def __cinit__(self):
        self._fd = -1

    def __init__(self):
        if self._fd < 0:
            self._fd = epoll_create1(EPOLL_CLOEXEC)
            if self._fd < 0:
                PyErr_SetFromErrno(OSError)

    def __dealloc__(self):
        if self._fd >= 0:
            c_close(self._fd)

    cdef int _control(self, int operation, int fd, int interest) except -1:
        cdef epoll_event event
        if self._fd < 0:
            raise ValueError("I/O operation on closed epoll object")
        event.events = (EPOLLIN if interest & 1 else 0) | (EPOLLOUT if interest & 2 else 0)
        event.data.fd = fd
        if epoll_ctl(self._fd, operation, fd, &event) < 0:
            PyErr_SetFromErrno(OSError)
        return 0

    cpdef add(self, int fd, int interest):
        self._control(EPOLL_CTL_ADD, fd, interest)

    cpdef change(self, int fd, int interest):
        self._control(EPOLL_CTL_MOD, fd, interest)

    cpdef remove(self, int fd):
        self._control(EPOLL_CTL_DEL, fd, 0)

    cpdef list wait(self, object seconds):
        cdef epoll_event events[512]  # on this call's stack: a handler may turn the loop again (iterate)
        cdef int epfd = self._fd, timeout = -1, count, i, bits, ready
        cdef double limit
        cdef list found
        if epfd < 0:
            raise ValueError("I/O operation on closed epoll object")
        if seconds is not None:
            limit = seconds
            # Up, never down: a wait that ends before its timer is due would turn the loop idly.
            timeout = <int> ceil(limit * 1000.0) if limit < 2147483.0 else 2147483000
            if timeout < 0:
                timeout = 0
        if timeout == 0:
            count = epoll_wait(epfd, events, 512, 0)  # handing the GIL over costs more than asking
        else:
            with nogil:
                count = epoll_wait(epfd, events, 512, timeout)
        if count < 0:
            if errno != EINTR:
                PyErr_SetFromErrno(OSError)
            count = 0
        PyErr_CheckSignals()  # after every wait, not only after one that a signal ended
        if count == 0:
            return NOTHING
        found = []
        for i in range(count):
            bits = events[i].events
            ready = 1 if bits & EPOLLIN else 0
            if bits & EPOLLOUT:
                ready |= 2
            if bits & (EPOLLHUP | EPOLLERR):
                ready |= 4
            found.append((events[i].data.fd, ready))
        return found

    cpdef int fileno(self) except? -1:
        if self._fd < 0:
            raise ValueError("I/O operation on closed epoll object")
        return self._fd

    cpdef close(self):
        if self._fd >= 0:
            c_close(self._fd)
            self._fd = -1
