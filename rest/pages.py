"""Lists a page at a time, by opaque cursors."""

import dataclasses

from django.core import signing
from rest_framework import serializers

from core.errors import InvalidInput
from rest.bodies import StrictInput


class PageQuery(StrictInput):
    """Which page of a list."""

    cursor = serializers.CharField(
        required=False, max_length=200, help_text="`next_cursor` of the page before / 上一页给的 next_cursor"
    )
    limit = serializers.IntegerField(required=False, default=20, min_value=1, max_value=100)


@dataclasses.dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one API: signed, and good for the caller alone whom they were given to."""

    salt: str

    def seal(self, place: int | None, *, owner: int) -> str | None:
        """An opaque cursor that is good for this caller only."""
        return None if place is None else signing.dumps([owner, place], salt=self.salt)

    def open(self, cursor: str | None, *, owner: int) -> int | None:
        """The place a cursor stands for. Raises InvalidInput for one that we did not give to this caller."""
        if cursor is None:
            return None
        try:
            whose, place = signing.loads(cursor, salt=self.salt)
        except (signing.BadSignature, ValueError, TypeError):
            raise InvalidInput(fields={"cursor": ["invalid"]}) from None
        if whose != owner or not isinstance(place, int):
            raise InvalidInput(fields={"cursor": ["invalid"]})
        return place
