cimport cython

@cython.locals(moves=dict)
cpdef int after(int state, str event) except -1
