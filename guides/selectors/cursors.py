"""Signed marks of a place in a list ordered by an instant and the row id."""

import datetime as dt
from typing import Any, Final

from django.core import signing

from core.errors import InvalidInput

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def seal_cursor(*, salt: str, owner: str | int, at: dt.datetime, row_id: int) -> str:
    """The mark after this row of the owner's list."""
    return signing.dumps([owner, (at - _EPOCH) // dt.timedelta(microseconds=1), row_id], salt=salt)


def open_cursor(cursor: str, *, salt: str, owner: str | int) -> tuple[dt.datetime, int]:
    """The instant and row id of a mark. Raises InvalidInput for one that we did not give for this list."""
    try:
        found: Any = signing.loads(cursor, salt=salt)
        whose, microseconds, row_id = found
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise InvalidInput(field="cursor") from error
    if whose != owner:
        raise InvalidInput(field="cursor")
    return _EPOCH + dt.timedelta(microseconds=microseconds), row_id
