"""Random delays, the same for every peer."""

from __future__ import annotations

import random

TIMERS = 200_000
"""So many wait while timers are measured, however few of these there are."""
LEAD = 0.6
"""Seconds from scheduling timers to their being due, to measure the two apart; doubled where that was too short."""

_random = random.Random(1)
DELAYS = [_random.random() * 100 for _ in range(TIMERS)]
"""Seconds, 0 to 100."""
