"""Steps that could not be done: tried again with longer pauses, and parked in the end."""

import datetime as dt
from typing import Final

from campaigns.services.journeys.rows import Held, Move

# After each time that a step could not be done; then she is parked.
PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1_440))


def again(*, held: Held, code: str, at: dt.datetime) -> Move:
    """The step is tried again after a pause, or she is parked there when it went wrong too often."""
    if held.attempt_count >= len(PAUSES):
        return Move(held, "failed", held.step, at, "failed", code, attempts=held.attempt_count + 1)
    due_at = at + PAUSES[held.attempt_count]
    return Move(held, "waiting", held.step, due_at, "", code, attempts=held.attempt_count + 1)
