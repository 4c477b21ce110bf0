"""Makes programs, by the room that they go on in. What they may not do is said here, with the reason."""
