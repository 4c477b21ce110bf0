"""What each message asks of a Connection of pyOpenSSL, and the compiled twin asks of the library below it.

Four methods: `bio_write` and `recv`, `send` and `bio_read`. In Python they are those of the Connection itself. Of what
they cost for a small message, two thirds are pyOpenSSL's and cffi's; so the twin calls the library's functions by their
addresses, which cffi tells, and has the plaintext put into the bytes object that the program gets.
"""

from __future__ import annotations

from typing import Any


def calls_of(connection: Any) -> Any:
    """Something with the four methods of this Connection, which take, give and raise the same; it keeps it alive.

    `connection` is exactly pyOpenSSL's, over memory. Where its inside is not as expected, it is given back as it is.
    """
    return connection
