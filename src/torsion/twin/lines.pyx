# Compiled twin of lines.py: same functions, same meaning.
#
# What was received stays in one piece, and a number says how far it has been handed on: so a line costs a search and a
# copy of its own bytes, however many wait behind it, also where the receiver pauses after each.

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.string cimport memchr


@cython.final
cdef class Waiting:
    # What one receiver has not been given yet: `data` from `at` on.
    cdef bytes data
    cdef Py_ssize_t at
    cdef bint busy  # handing on: what comes meanwhile waits for its turn

    def __cinit__(self):
        self.data = b""

    cdef bytes take(self):
        cdef bytes data = self.data[self.at :] if self.at else self.data
        self.data = b""
        self.at = 0
        return data


cdef Waiting waiting_for(object receiver):
    held = receiver._held
    if held is None:
        held = receiver._held = Waiting()
    return held


cpdef bytes take_waiting(object receiver):
    return waiting_for(receiver).take()


cdef Py_ssize_t find(bytes data, bytes what, Py_ssize_t start) except -2:
    # Where `what` begins, at `start` or behind it; -1 if nowhere.
    cdef Py_ssize_t length = PyBytes_GET_SIZE(what)
    if length > 2:  # the interpreter's search is better where first letters mislead
        return data.find(what, start)
    cdef const char *begin = PyBytes_AS_STRING(data)
    cdef const char *wanted = PyBytes_AS_STRING(what)
    cdef const char *last = begin + PyBytes_GET_SIZE(data) - length  # where it can begin at the latest
    cdef const char *at = begin + start
    while at <= last:
        at = <const char *>memchr(at, wanted[0], last - at + 1)
        if at == NULL:
            return -1
        if length == 1 or at[1] == wanted[1]:
            return at - begin
        at += 1
    return -1


def receive_lines(object receiver, object data):
    cdef Waiting waiting = waiting_for(receiver)
    cdef bytes whole, delimiter
    cdef Py_ssize_t start, end
    if type(data) is not bytes:
        data = bytes(memoryview(data))
    if data:
        if waiting.data:
            data = waiting.take() + data
        waiting.data = data
    elif not waiting.data:
        return None
    if waiting.busy:
        return None
    waiting.busy = True
    try:
        while not receiver.paused:
            if receiver.line_mode:
                delimiter = receiver.delimiter
                if not delimiter:
                    raise ValueError("a delimiter of no bytes ends no line")
                whole = waiting.data
                start = waiting.at
                end = find(whole, delimiter, start)
                if end < 0:
                    waiting.data = whole = waiting.take()  # the lines before it need not be kept
                    if len(whole) < receiver.MAX_LENGTH + len(delimiter):
                        return None
                    return receiver.lineLengthExceeded(waiting.take())
                if end - start > receiver.MAX_LENGTH:
                    return receiver.lineLengthExceeded(waiting.take())
                waiting.at = end + PyBytes_GET_SIZE(delimiter)
                if waiting.at == PyBytes_GET_SIZE(whole):
                    waiting.data = b""
                    waiting.at = 0
                why = receiver.lineReceived(PyBytes_FromStringAndSize(PyBytes_AS_STRING(whole) + start, end - start))
                if why or not waiting.data:
                    return why
                transport = receiver.transport
                if transport and transport.disconnecting:
                    return why
            else:
                why = receiver.rawDataReceived(waiting.take())
                if why or not waiting.data:
                    return why
        return None
    finally:
        waiting.busy = False
