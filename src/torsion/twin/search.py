"""Where a few bytes are in many. The compiled twin asks the C library, and makes no numbers of Python's on the way."""

from __future__ import annotations


class Bytes:
    """What bytes are asked in loops."""

    find = bytes.find
    """``find(data, what, start)``: where ``what`` begins, at ``start`` or behind it; -1 if nowhere."""
