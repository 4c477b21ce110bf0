"""Logic: Deferreds, coroutines, timers, calls, triggers. No I/O, no clock read, no thread."""
