"""Which named constraint said no, and whether two waited for each other."""

import psycopg
from django.db import IntegrityError, OperationalError


def violated(error: IntegrityError) -> str:
    """The name of the violated constraint, or an empty string when the driver does not tell."""
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""


def is_deadlock(error: OperationalError) -> bool:
    """Whether PostgreSQL ended this transaction because it and others waited for each other in a ring."""
    return isinstance(error.__cause__, psycopg.errors.DeadlockDetected)
