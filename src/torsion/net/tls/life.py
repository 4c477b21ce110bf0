"""The life of a TLS connection as a table: what each event makes of it.

Leaving is closing while the handshake is not done yet. Closing waits for a producer, and for what was written to go;
then close_notify is sent, and in "shut" the peer's is waited for, with data still delivered. "Ended" is the
transport's: it is to close, and nothing more is delivered.
"""

from __future__ import annotations

# Numbers, because each write and each event compares one: up to LEAVING the handshake is not done, up to OPEN the
# application may write, up to CLOSING its producer may, up to SHUT data is delivered.
HANDSHAKING, LEAVING, OPEN, CLOSING, SHUT, ENDED, LOST, NEW = range(8)
STATES = ("handshaking", "leaving", "open", "closing", "shut", "ended", "lost", "new")

# The events: the transport is there; the handshake is done; loseConnection; a program takes that back, by setting
# `disconnecting`; close_notify is sent; there is nothing more to do but for the transport to close; it has.
MADE, SHAKEN, LOSE, KEEP, NOTIFIED, END, LOSS = "made", "shaken", "lose", "keep", "notified", "end", "loss"

MOVES: dict[int, dict[str, int]] = {
    NEW: {MADE: HANDSHAKING},
    HANDSHAKING: {SHAKEN: OPEN, LOSE: LEAVING, END: ENDED, LOSS: LOST},
    LEAVING: {SHAKEN: CLOSING, KEEP: HANDSHAKING, END: ENDED, LOSS: LOST},
    OPEN: {LOSE: CLOSING, NOTIFIED: SHUT, END: ENDED, LOSS: LOST},
    CLOSING: {KEEP: OPEN, NOTIFIED: SHUT, END: ENDED, LOSS: LOST},
    SHUT: {END: ENDED, LOSS: LOST},
    ENDED: {LOSS: LOST},
    LOST: {},
}


def after(state: int, event: str) -> int:
    """The state that follows; an event that means nothing in a state changes nothing."""
    return MOVES[state].get(event, state)
