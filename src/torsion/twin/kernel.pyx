# cython: language_level=3, annotation_typing=False
"""The compiled version of kernel.py: same classes, same meaning; the docstrings are there."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_CheckSignals, PyErr_SetFromErrno
from cpython.ref cimport Py_INCREF, PyObject
from cpython.unicode cimport PyUnicode_AsUTF8
from libc.errno cimport EINTR, errno
from libc.math cimport INFINITY as inf
from libc.math cimport ceil
from libc.stdlib cimport free, malloc
from libc.string cimport strlen
from posix.time cimport CLOCK_REALTIME, clock_gettime, timespec
from posix.unistd cimport close as c_close
from posix.unistd cimport read as c_read

import time

READ = 1
WRITE = 2
GONE = 4
PIECES = 64

cdef enum:
    MAX_EVENTS = 512

cdef object wall_clock = time.time

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


cdef extern from *:
    """
    #include <sys/socket.h>
    #include <sys/uio.h>
    #include <netinet/in.h>
    #include <arpa/inet.h>
    #include <net/if.h>
    #include <stddef.h>
    #include <stdio.h>
    #include <sys/un.h>
    #include <fcntl.h>
    #include <string.h>
    #include <unistd.h>
    #ifndef MSG_NOSIGNAL
    #define MSG_NOSIGNAL 0
    #endif
    #define TORSION_BUFFER 65536
    #define TORSION_PIECES 64
    static char torsion_buffer[TORSION_BUFFER];  /* the GIL is held from recv to the copy */

    static ssize_t torsion_sendmsg(int fd, struct iovec *pieces, int count) {
        struct msghdr message;
        memset(&message, 0, sizeof message);
        message.msg_iov = pieces;
        message.msg_iovlen = count;
        return sendmsg(fd, &message, MSG_NOSIGNAL);
    }

    static void torsion_hang_up(int fd, int abort, int shared) {
        struct linger none = {1, 0};
        if (abort) setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
        else if (shared) shutdown(fd, SHUT_RDWR);
        close(fd);
    }

    static int torsion_option(int fd, int level, int name, int *value) {
        socklen_t size = sizeof *value;
        return getsockopt(fd, level, name, value, &size);
    }

    static int torsion_set_option(int fd, int level, int name, int value) {
        return setsockopt(fd, level, name, &value, sizeof value);
    }

    /* As recv; the descriptors that came along are in torsion_descriptors then, *count of them; -1: some were lost. */
    #ifndef MSG_CMSG_CLOEXEC
    #define MSG_CMSG_CLOEXEC 0
    #endif
    #define TORSION_DESCRIPTORS 253  /* what a kernel passes at most with one message */
    static int torsion_descriptors[TORSION_DESCRIPTORS + 1];
    static union {
        struct cmsghdr aligned;
        char room[CMSG_SPACE(TORSION_DESCRIPTORS * sizeof(int))];
    } torsion_control;

    static ssize_t torsion_recvmsg(int fd, size_t size, int *count) {
        struct iovec piece = {torsion_buffer, size};
        struct msghdr message;
        struct cmsghdr *part;
        ssize_t received;
        memset(&message, 0, sizeof message);
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        message.msg_control = &torsion_control;
        message.msg_controllen = sizeof torsion_control;
        *count = 0;
        received = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
        if (received < 0) return received;
        for (part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
            if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
            size_t length = part->cmsg_len - CMSG_LEN(0), i;
            for (i = 0; i < length / sizeof(int) && *count < TORSION_DESCRIPTORS; i++) {
                memcpy(&torsion_descriptors[*count], CMSG_DATA(part) + i * sizeof(int), sizeof(int));
                if (!MSG_CMSG_CLOEXEC) fcntl(torsion_descriptors[*count], F_SETFD, FD_CLOEXEC);
                ++*count;
            }
        }
        if (message.msg_flags & MSG_CTRUNC) torsion_descriptors[(*count)++] = -1;
        return received;
    }

    static struct sockaddr_storage torsion_peer;
    static char torsion_host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    static socklen_t torsion_peer_size;

    static int torsion_accept(int fd) {
        torsion_peer_size = sizeof torsion_peer;
        torsion_peer.ss_family = AF_UNSPEC;
    #ifdef __linux__
        return accept4(fd, (struct sockaddr *)&torsion_peer, &torsion_peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    #else
        fd = accept(fd, (struct sockaddr *)&torsion_peer, &torsion_peer_size);
        if (fd >= 0) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
            fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
        return fd;
    #endif
    }

    /* The port of the last peer, its host in torsion_host; -1 if it is not an IPv4 address. inet_ntop prints slower. */
    static int torsion_peer_ipv4(void) {
        struct sockaddr_in *address = (struct sockaddr_in *)&torsion_peer;
        unsigned char *bytes = (unsigned char *)&address->sin_addr;
        char *end = torsion_host;
        if (torsion_peer.ss_family != AF_INET) return -1;
        for (int i = 0; i < 4; i++) {
            unsigned value = bytes[i];
            if (value >= 100) *end++ = '0' + value / 100;
            if (value >= 10) *end++ = '0' + value / 10 % 10;
            *end++ = '0' + value % 10;
            *end++ = '.';
        }
        end[-1] = 0;
        return ntohs(address->sin_port);
    }

    static PyObject *torsion_new(PyObject *kind, PyObject *nothing) {
        return ((PyTypeObject *)kind)->tp_new((PyTypeObject *)kind, nothing, NULL);
    }

    static unsigned torsion_figures(void) { return ((struct sockaddr_in *)&torsion_peer)->sin_addr.s_addr; }

    static int torsion_port(void) { return ntohs(((struct sockaddr_in *)&torsion_peer)->sin_port); }

    static ssize_t torsion_recvfrom(int fd, void *buffer, size_t size, socklen_t *length) {
        *length = sizeof torsion_peer;
        torsion_peer.ss_family = AF_UNSPEC;
        return recvfrom(fd, buffer, size, MSG_DONTWAIT, (struct sockaddr *)&torsion_peer, length);
    }

    static struct sockaddr_in6 *torsion_peer_ipv6(void) {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&torsion_peer;
        inet_ntop(AF_INET6, &address->sin6_addr, torsion_host, sizeof torsion_host);
        return address;
    }

    /* The bytes of the last peer's path, and where they are; -1: it has none. */
    static int torsion_peer_path(socklen_t length, const char **path) {
        *path = ((struct sockaddr_un *)&torsion_peer)->sun_path;
        if (!length) return -1;
        if (length <= offsetof(struct sockaddr_un, sun_path)) return 0;
        length -= offsetof(struct sockaddr_un, sun_path);
        return **path ? strnlen(*path, length) : length;
    }

    static union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } torsion_to;

    /* Whether this is an address in figures: where the next torsion_sendto goes. */
    static int torsion_destination(int family, const char *host, int port) {
        memset(&torsion_to, 0, sizeof torsion_to);
        torsion_to.any.sa_family = family;
        if (family == AF_INET) {
            torsion_to.v4.sin_port = htons(port);
            return inet_pton(family, host, &torsion_to.v4.sin_addr) == 1;
        }
        torsion_to.v6.sin6_port = htons(port);
        return inet_pton(family, host, &torsion_to.v6.sin6_addr) == 1;
    }

    /* Pairs of host and port that were made before, by their hash; a port has the same peers again and again. */
    enum { TORSION_PEERS = 512 };
    struct torsion_pair { uint32_t host; uint16_t port; PyObject *pair; };
    static struct torsion_pair torsion_peers[TORSION_PEERS], *torsion_latest = torsion_peers;

    /* The last datagram's sender, if it is an IPv4 address: the pair that was made for it, or NULL; to be kept then. */
    static int torsion_find_peer(void) {
        struct sockaddr_in *from = (struct sockaddr_in *)&torsion_peer;
        uint32_t host = from->sin_addr.s_addr;
        if (from->sin_family != AF_INET) return 0;
        torsion_latest = &torsion_peers[(host ^ (uint32_t)from->sin_port << 15) * 2654435761u >> 23];
        if (torsion_latest->host != host || torsion_latest->port != from->sin_port || !torsion_latest->pair) {
            torsion_latest->host = host;
            torsion_latest->port = from->sin_port;
            Py_CLEAR(torsion_latest->pair);
        }
        return 1;
    }

    /* Whether this very object is the pair of the datagram that was received last: where torsion_sendto goes. */
    static int torsion_is_latest(PyObject *address) {
        if (address != torsion_latest->pair) return 0;
        memset(&torsion_to, 0, sizeof torsion_to.v4);
        torsion_to.v4.sin_family = AF_INET;
        torsion_to.v4.sin_port = torsion_latest->port;
        torsion_to.v4.sin_addr.s_addr = torsion_latest->host;
        return 1;
    }

    static ssize_t torsion_sendto(int fd, void *data, size_t size) {
        socklen_t length = torsion_to.any.sa_family == AF_INET ? sizeof torsion_to.v4 : sizeof torsion_to.v6;
        return sendto(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL, &torsion_to.any, length);
    }
    """
    enum: TORSION_BUFFER
    enum: TORSION_PIECES
    int MSG_NOSIGNAL, MSG_DONTWAIT, EDESTADDRREQ
    int AF_INET, AF_INET6, AF_UNIX
    ctypedef unsigned int socklen_t
    struct sockaddr_storage:
        unsigned short ss_family
    struct sockaddr_in6:
        unsigned short sin6_port
        unsigned int sin6_flowinfo
        unsigned int sin6_scope_id
    sockaddr_storage torsion_peer
    socklen_t torsion_peer_size
    unsigned int c_ntohl "ntohl" (unsigned int value)
    unsigned short c_ntohs "ntohs" (unsigned short value)
    char *torsion_buffer
    const char *torsion_host
    struct iovec:
        void *iov_base
        size_t iov_len
    Py_ssize_t c_recv "recv" (int fd, void *buffer, size_t size, int flags)
    Py_ssize_t c_send "send" (int fd, const void *data, size_t size, int flags)
    Py_ssize_t torsion_sendmsg(int fd, iovec *pieces, int count)
    void torsion_hang_up(int fd, int abort, int shared)
    int torsion_option(int fd, int level, int name, int *value)
    int torsion_set_option(int fd, int level, int name, int value)
    int torsion_accept(int fd)
    int torsion_peer_ipv4()
    object torsion_new(object kind, object nothing)
    unsigned int torsion_figures()
    int torsion_port()
    Py_ssize_t torsion_recvfrom(int fd, void *buffer, size_t size, socklen_t *length)
    sockaddr_in6 *torsion_peer_ipv6()
    int torsion_peer_path(socklen_t length, const char **path)
    struct torsion_pair:
        PyObject *pair
    torsion_pair *torsion_latest
    bint torsion_find_peer()
    bint torsion_is_latest(PyObject *address)
    bint torsion_destination(int family, const char *host, int port)
    Py_ssize_t torsion_sendto(int fd, void *data, size_t size)
    int *torsion_descriptors
    Py_ssize_t torsion_recvmsg(int fd, size_t size, int *count)


cdef extern from "Python.h":
    bint PyUnicode_IS_ASCII(object text)
    object PyUnicode_DecodeFSDefaultAndSize(const char *text, Py_ssize_t size)


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

    @staticmethod
    cdef object recv(int fd, Py_ssize_t size):
        cdef Py_ssize_t count = c_recv(fd, torsion_buffer, min(size, TORSION_BUFFER), 0)
        if count < 0:
            return -errno
        return PyBytes_FromStringAndSize(torsion_buffer, count)

    @staticmethod
    cdef object recvmsg(int fd, Py_ssize_t size, list descriptors):
        cdef int passed = 0, i
        cdef Py_ssize_t count = torsion_recvmsg(fd, min(size, TORSION_BUFFER), &passed)
        if count < 0:
            return -errno
        for i in range(passed):
            descriptors.append(torsion_descriptors[i])
        return PyBytes_FromStringAndSize(torsion_buffer, count)

    @staticmethod
    cdef Py_ssize_t send(int fd, object data) except? -1:
        cdef iovec piece
        cdef Py_ssize_t sent
        _point(data, &piece)
        sent = c_send(fd, piece.iov_base, piece.iov_len, MSG_NOSIGNAL)
        return sent if sent >= 0 else -errno

    @staticmethod
    cdef object read(int fd, Py_ssize_t size):
        cdef Py_ssize_t count = c_read(fd, torsion_buffer, min(size, TORSION_BUFFER))
        if count < 0:
            return -errno
        return PyBytes_FromStringAndSize(torsion_buffer, count)

    @staticmethod
    cdef Py_ssize_t sendmsg(int fd, list pieces) except? -1:
        cdef iovec vectors[TORSION_PIECES]
        cdef int count = 0
        cdef Py_ssize_t sent
        for piece in pieces:
            if count == TORSION_PIECES:
                break
            _point(piece, &vectors[count])
            count += 1
        sent = torsion_sendmsg(fd, vectors, count)
        return sent if sent >= 0 else -errno

    @staticmethod
    cdef int hang_up(int fd, bint abort, bint shared) except -1:
        torsion_hang_up(fd, abort, shared)
        return 0

    @staticmethod
    cdef int option(int fd, int level, int name) except? -1:
        cdef int value = 0
        if torsion_option(fd, level, name, &value) < 0:
            PyErr_SetFromErrno(OSError)
        return value

    @staticmethod
    cdef int set_option(int fd, int level, int name, int value) except -1:
        if torsion_set_option(fd, level, name, value) < 0:
            PyErr_SetFromErrno(OSError)
        return 0

    @staticmethod
    cdef object accept(int fd, object listening):
        cdef int accepted = torsion_accept(fd)
        if accepted < 0:
            return -errno
        if torsion_peer.ss_family == AF_INET:
            return accepted, (_host_ipv4(), torsion_port())
        if torsion_peer.ss_family in (AF_INET6, AF_UNIX):
            return accepted, _sender(torsion_peer_size)  # asked for now, the peer may have none: it was reset
        return _accepted(accepted, listening)

    @staticmethod
    cdef object new(object kind):
        return torsion_new(kind, ())

    @staticmethod
    cdef object receive_from(int fd, object skt, Py_ssize_t size):
        cdef socklen_t length
        cdef Py_ssize_t count
        cdef object data
        if 0 <= size <= TORSION_BUFFER:
            count = torsion_recvfrom(fd, torsion_buffer, size, &length)
            if count < 0:
                return -errno
            data = PyBytes_FromStringAndSize(torsion_buffer, count)
        else:
            data = PyBytes_FromStringAndSize(NULL, size)  # refuses a negative size
            count = torsion_recvfrom(fd, PyBytes_AS_STRING(data), size, &length)
            if count < 0:
                return -errno
            if count < size:
                data = data[:count]
        if not torsion_find_peer():
            return data, _sender(length)
        if torsion_latest.pair is NULL:
            pair = _sender(length)
            Py_INCREF(pair)
            torsion_latest.pair = <PyObject *> pair
        return data, <object> torsion_latest.pair

    @staticmethod
    cdef Py_ssize_t send_to(int fd, object skt, int family, object data, object address) except? -1:
        cdef iovec piece
        cdef Py_ssize_t sent
        cdef object host, port
        cdef const char *figures
        if address is None:
            _point(data, &piece)
            sent = c_send(fd, piece.iov_base, piece.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
        elif family == AF_INET and torsion_is_latest(<PyObject *> address):
            _point(data, &piece)
            sent = torsion_sendto(fd, piece.iov_base, piece.iov_len)
        else:
            if type(address) is not tuple or len(<tuple> address) != 2 or family not in (AF_INET, AF_INET6):
                return -EDESTADDRREQ
            host, port = <tuple> address
            if type(host) is not str or type(port) is not int or not 0 <= port <= 65535 or not PyUnicode_IS_ASCII(host):
                return -EDESTADDRREQ
            figures = PyUnicode_AsUTF8(host)
            if strlen(figures) != <size_t> len(<str> host) or not torsion_destination(family, figures, port):
                return -EDESTADDRREQ
            _point(data, &piece)
            sent = torsion_sendto(fd, piece.iov_base, piece.iov_len)
        return sent if sent >= 0 else -errno


cdef object _last_host = None
cdef unsigned int _last_figures = 0


cdef object _host_ipv4():
    """The last peer's host. Most connections come from few hosts: the last one's name is kept."""
    global _last_host, _last_figures
    cdef unsigned int figures = torsion_figures()
    if _last_host is None or figures != _last_figures:
        torsion_peer_ipv4()
        _last_host, _last_figures = torsion_host.decode("ascii"), figures
    return _last_host


cdef object _sender(socklen_t length):
    """Whom the last datagram or connection is from, as the standard library gives it."""
    cdef int port = torsion_peer_ipv4(), size
    cdef sockaddr_in6 *address
    cdef const char *path
    if port >= 0:
        return torsion_host.decode("ascii"), port
    if torsion_peer.ss_family == AF_INET6:
        address = torsion_peer_ipv6()
        port = c_ntohs(address.sin6_port)
        return torsion_host.decode("ascii"), port, c_ntohl(address.sin6_flowinfo), address.sin6_scope_id
    size = torsion_peer_path(length, &path)
    if size < 0:
        return None
    if size and not path[0]:
        return path[:size]
    return PyUnicode_DecodeFSDefaultAndSize(path, size)


cdef inline int _point(object data, iovec *piece) except -1:
    """Where the bytes of `data` are: bytes, or a memoryview of bytes, which stay where they are while it lives."""
    cdef Py_buffer view
    if type(data) is bytes:
        piece.iov_base = PyBytes_AS_STRING(data)
        piece.iov_len = PyBytes_GET_SIZE(data)
    else:
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        piece.iov_base = view.buf
        piece.iov_len = view.len
        PyBuffer_Release(&view)
    return 0


cdef object _accepted(int fd, object listening):
    """Any other family's addresses are the standard library's business."""
    from socket import socket
    connection = socket(listening.family, listening.type, listening.proto, fileno=fd)
    try:
        return fd, connection.getpeername()
    except OSError as error:
        c_close(connection.detach())
        return -error.errno
    finally:
        connection.detach()


cdef class Events:
    def __cinit__(self):
        self.fd = -1

    cdef int wait(self, double seconds) except -1:
        raise NotImplementedError

    cdef bint next(self) except -1:
        raise NotImplementedError

    def listed(self, timeout):
        cdef list found = []
        self.wait(inf if timeout is None else timeout)
        while self.next():
            found.append((self.fd, self.ready))
        return found


cdef class EpollSet(Events):
    def __cinit__(self):
        self._fd = -1

    def __init__(self):
        if self._fd < 0:
            self._events = malloc(MAX_EVENTS * sizeof(epoll_event))
            if self._events is NULL:
                raise MemoryError
            self._fd = epoll_create1(EPOLL_CLOEXEC)
            if self._fd < 0:
                PyErr_SetFromErrno(OSError)

    def __dealloc__(self):
        if self._fd >= 0:
            c_close(self._fd)
        free(self._events)

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

    cdef int wait(self, double seconds) except -1:
        cdef int epfd = self._fd, timeout, count
        cdef epoll_event *events = <epoll_event *> self._events
        self._at = self._count = 0
        if epfd < 0:
            raise ValueError("I/O operation on closed epoll object")
        if seconds == 0:  # handing the GIL over costs more than asking
            count = epoll_wait(epfd, events, MAX_EVENTS, 0)
        else:
            # Up, never down: a wait that ends before its timer is due would turn the loop idly.
            timeout = -1 if seconds == inf else <int> ceil(max(0.0, min(seconds, 2147483.0)) * 1000.0)
            with nogil:
                count = epoll_wait(epfd, events, MAX_EVENTS, timeout)
        if count < 0:
            if errno != EINTR:
                PyErr_SetFromErrno(OSError)
            count = 0
        self._count = count  # before a signal's handler, which may turn the loop again (iterate)
        return PyErr_CheckSignals()  # after every wait, not only after one that a signal ended

    cdef bint next(self) except -1:
        cdef epoll_event *event
        cdef unsigned int bits
        if self._at == self._count:
            return False
        event = <epoll_event *> self._events + self._at
        self._at += 1
        self.more = self._at != self._count
        self.fd = event.data.fd
        bits = event.events
        self.ready = (bits & EPOLLIN != 0) | (bits & EPOLLOUT != 0) << 1 | (bits & (EPOLLHUP | EPOLLERR) != 0) << 2
        return True

    cpdef int fileno(self) except? -1:
        if self._fd < 0:
            raise ValueError("I/O operation on closed epoll object")
        return self._fd

    cpdef close(self):
        if self._fd >= 0:
            c_close(self._fd)
            self._fd = -1
