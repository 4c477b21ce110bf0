cpdef int after(int state, str event) except -1
