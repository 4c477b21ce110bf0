"""Random delays, the same for every peer."""

from __future__ import annotations

import random

TIMERS = 200_000
LEAD = 0.6
"""Seconds between scheduling timers and their becoming due, where the two are to be measured apart."""

_random = random.Random(1)
DELAYS = [_random.random() * 100 for _ in range(TIMERS)]
"""Seconds, 0 to 100."""
