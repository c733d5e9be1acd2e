"""Which named constraint said no."""

import psycopg
from django.db import IntegrityError


def violated(error: IntegrityError) -> str:
    """The name of the violated constraint, or an empty string when the driver does not tell."""
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""
