from .engine.turn cimport Engine

cdef Engine engine_of(reactor)
