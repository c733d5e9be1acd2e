"""`field__any_of=[…]`: one array for many values.

`__in` makes a placeholder of each value; with twenty thousand of them building the statement takes longer than
running it.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Field, ForeignObject, Lookup

from core.arrays import array_words


class AnyOf(Lookup[Any]):
    """The field has one of these values."""

    lookup_name = "any_of"
    prepare_rhs = False

    def __init__(self, lhs: Any, rhs: Iterable[Any]) -> None:
        super().__init__(lhs, list(rhs))

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} = ANY(%s)", (*params, array_words(self.rhs))


def register_lookups() -> None:
    """Every field knows it, and every key to another table."""
    Field.register_lookup(AnyOf)
    ForeignObject.register_lookup(AnyOf)
