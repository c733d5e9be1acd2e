"""Model fields that keep a secret."""

from typing import TYPE_CHECKING, Any

from django.db import models

from core import crypto

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SealedTextField(_TextField):
    """Text that is AES-GCM sealed in the database and plain on the instance.

    It cannot be filtered on (every sealing differs); use `core.crypto.blind_index` in a column of its own
    where an exact look-up is needed. The empty string stays empty, so that "not set" can be seen.
    """

    def seal_context(self) -> str:
        """What binds its sealed texts to this column."""
        return f"{self.model._meta.db_table}.{self.column}"

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        if value is None or value == "":
            return value
        return crypto.unseal(value, context=self.seal_context())

    def get_prep_value(self, value: Any) -> str | None:
        if value is None or value == "":
            return None if value is None else ""
        return crypto.seal(str(value), context=self.seal_context())

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name in {"isnull"}:
            return super().get_lookup(lookup_name)
        return None
