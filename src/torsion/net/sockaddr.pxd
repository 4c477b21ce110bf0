from ..twin.kernel cimport Sys


cpdef ip_address(object raw)
