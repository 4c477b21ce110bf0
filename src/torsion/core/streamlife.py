"""The life of a stream as a table: what each event makes of it, and what it still does in each state.

The contract shows it through flags (``connected``, ``disconnecting`` ...). Six states are behind them; reading is not
among them, as it may be paused and resumed in most.
"""

from __future__ import annotations

# Numbers, because every write compares one: up to CLOSING a stream takes what is written, up to ABORTED it is connected
# (semantics 62-65). NEW comes before a connection is made.
OPEN, HALF_CLOSING, CLOSING, HALF_CLOSED, ABORTED, LOST, NEW = range(7)
STATES = ("open", "half closing", "closing", "half closed", "aborted", "lost", "new")

# The events: a connection is made; loseConnection; loseWriteConnection; all that was written is sent; abortConnection;
# connectionLost. The peer's end of file is none of them: it ends reading, or the whole connection.
CONNECT, LOSE, LOSE_WRITE, FLUSHED, ABORT, LOSS = "connect", "lose", "lose write", "flushed", "abort", "loss"

# What is not written changes nothing. CLOSING and HALF_CLOSING first send what was written; whoever wants to close
# a stream that cannot send any more is told so at once (63). To shut the writing side a second time ends the connection
# (65), through another flush.
MOVES: dict[int, dict[str, int]] = {
    NEW: {CONNECT: OPEN, LOSS: LOST},
    OPEN: {LOSE: CLOSING, LOSE_WRITE: HALF_CLOSING, ABORT: ABORTED, LOSS: LOST},
    HALF_CLOSING: {LOSE: CLOSING, FLUSHED: HALF_CLOSED, ABORT: ABORTED, LOSS: LOST},
    CLOSING: {FLUSHED: LOST, ABORT: ABORTED, LOSS: LOST},
    HALF_CLOSED: {LOSE: LOST, ABORT: ABORTED, LOSS: LOST},
    ABORTED: {LOSS: LOST},
    LOST: {},
}


def after(state: int, event: str) -> int:
    """The state that follows."""
    moves = MOVES[state]
    return moves.get(event, state)
