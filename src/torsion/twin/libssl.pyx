"""The library's own functions for a Connection of pyOpenSSL. What this is for is said in libssl.py.

The addresses are cffi's, which checks that each function has the type expected here. What a Connection has inside is
looked up by names that pyOpenSSL does not promise: `_ssl`, `_into_ssl`, `_from_ssl`, `_raise_ssl_error`. Where one is
missing, the Connection's own methods do.

An outcome that is no success is left to the Connection: to raise what it raises.
"""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.limits cimport INT_MAX
from libc.stdint cimport uintptr_t

ctypedef int (*Move)(void *whom, void *data, int size) noexcept
ctypedef long (*Look)(void *whom, char **data) noexcept

cdef enum:
    RECORD = 16384  # the most that SSL_read gives at once
    SHORT = 4096  # so much is copied in less time than a large object takes to be made and cut

cdef Move ssl_read = NULL, ssl_write = NULL, bio_read = NULL, bio_write = NULL
cdef Look bio_look = NULL
cdef bint looked = False

TYPES = {
    "SSL_read": "int(**)(SSL *, void *, int)",
    "SSL_write": "int(**)(SSL *, const void *, int)",
    "BIO_read": "int(**)(BIO *, void *, int)",
    "BIO_write": "int(**)(BIO *, const void *, int)",
    "BIO_get_mem_data": "long(**)(BIO *, char **)",
}


cdef uintptr_t _address(ffi, pointer) except? 0:
    return int(ffi.cast("uintptr_t", pointer))


cdef _look_up():
    """Find the functions. They stay NULL if one of them is not there, or of another type."""
    global ssl_read, ssl_write, bio_read, bio_write, bio_look, looked
    looked = True
    try:
        from cryptography.hazmat.bindings.openssl.binding import Binding

        ffi = Binding.ffi
        found = {name: _address(ffi, ffi.new(kind, getattr(Binding.lib, name))[0]) for name, kind in TYPES.items()}
    except Exception:
        return
    ssl_read = <Move> <uintptr_t> found["SSL_read"]
    ssl_write = <Move> <uintptr_t> found["SSL_write"]
    bio_read = <Move> <uintptr_t> found["BIO_read"]
    bio_write = <Move> <uintptr_t> found["BIO_write"]
    bio_look = <Look> <uintptr_t> found["BIO_get_mem_data"]


@cython.final
cdef class Calls:
    """A Connection's four methods."""

    cdef object _connection
    cdef object _pointer
    cdef object _fail
    cdef void *_ssl
    cdef void *_into
    cdef void *_from

    def bio_write(self, data):
        cdef int taken
        if type(data) is not bytes or not 0 < len(data) <= INT_MAX:
            return self._connection.bio_write(data)
        taken = bio_write(self._into, PyBytes_AS_STRING(data), <int> len(data))
        return taken if taken > 0 else self._connection.bio_write(data)

    def recv(self, int size):
        cdef char short[RECORD]
        cdef char *there
        cdef int given
        cdef object data
        size = min(size, RECORD)
        if bio_look(self._into, &there) <= SHORT:
            given = ssl_read(self._ssl, short, size)
            if given > 0:
                return PyBytes_FromStringAndSize(short, given)
        else:
            data = PyBytes_FromStringAndSize(NULL, size)
            given = ssl_read(self._ssl, PyBytes_AS_STRING(data), size)
            if given == size:
                return data
            if given > 0:
                return data[:given]
        self._fail(self._pointer, given)
        return b""

    def send(self, data):
        cdef Py_buffer view
        cdef int taken
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        taken = ssl_write(self._ssl, view.buf, <int> min(view.len, INT_MAX))
        PyBuffer_Release(&view)
        if taken <= 0:
            self._fail(self._pointer, taken)
        return taken

    def bio_read(self, int size):
        cdef char *there
        cdef long waiting = bio_look(self._from, &there)
        cdef object data
        if waiting < size:
            size = <int> waiting
        data = PyBytes_FromStringAndSize(NULL, size)
        if size <= 0 or bio_read(self._from, PyBytes_AS_STRING(data), size) != size:
            return self._connection.bio_read(1)
        return data


def calls_of(connection):
    cdef Calls calls = Calls()
    if not looked:
        _look_up()
    if ssl_read is NULL:
        return connection
    try:
        from cryptography.hazmat.bindings.openssl.binding import Binding

        ffi = Binding.ffi
        calls._pointer, calls._fail = connection._ssl, connection._raise_ssl_error
        calls._ssl = <void *> _address(ffi, calls._pointer)
        calls._into = <void *> _address(ffi, connection._into_ssl)
        calls._from = <void *> _address(ffi, connection._from_ssl)
    except (AttributeError, TypeError):
        return connection
    calls._connection = connection
    return calls
