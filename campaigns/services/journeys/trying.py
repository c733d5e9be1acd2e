"""Steps that could not be done: tried again with longer pauses, and parked in the end."""

import datetime as dt
from typing import Final

from psycopg.errors import QueryCanceled

from campaigns.services.journeys.rows import Held, Turn

# After each time that a step could not be done; then she is parked.
PAUSES: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 1_440))


TOO_SLOW: Final = "too_slow"
# With the kind of what went wrong after it.
ERROR: Final = "error:"
_CODE_LENGTH: Final = 60


def fault_of(error: Exception) -> str:
    """The reason that is kept for what went wrong; the log has the rest."""
    cause = error.__cause__ or error
    return TOO_SLOW if isinstance(cause, QueryCanceled) else f"{ERROR}{type(cause).__name__}"[:_CODE_LENGTH]


def again(*, held: Held, code: str, at: dt.datetime) -> Turn:
    """The step is tried again after a pause, or she is parked there when it went wrong too often."""
    is_over = held.attempt_count >= len(PAUSES)
    return Turn(
        held.version_id,
        held.step,
        "failed" if is_over else "",
        "failed" if is_over else "waiting",
        held.step,
        at if is_over else at + PAUSES[held.attempt_count],
        code,
        attempts=held.attempt_count + 1,
    )
