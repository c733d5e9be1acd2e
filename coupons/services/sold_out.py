"""A short memory of batches that have nothing left, in front of the database and never instead of it.

It only says no, for a second, in this process; who asks again after that asks the database. So an extended quota is
sold everywhere within a second, and a flood after the last piece costs one look-up a request and no lock.
"""

import time
from typing import Final

REMEMBERED_S: Final = 1.0
_MOST: Final = 1_000
_until: dict[int, float] = {}


def remember_sold_out(batch_id: int) -> None:
    """The database has just said so."""
    if len(_until) >= _MOST:
        _until.clear()
    _until[batch_id] = time.monotonic() + REMEMBERED_S


def is_sold_out(batch_id: int) -> bool:
    """Whether it was, less than a second ago."""
    until = _until.get(batch_id)
    return until is not None and time.monotonic() < until


def forget_sold_out(batch_id: int) -> None:
    """There is more now."""
    _until.pop(batch_id, None)
