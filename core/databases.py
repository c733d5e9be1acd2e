"""What a failure of the database means to whoever asked."""

from django.db import InterfaceError, InternalError, OperationalError

# https://www.postgresql.org/docs/current/errcodes-appendix.html: a standby, or a server that is being moved.
_READ_ONLY = "25006"


def is_away(error: Exception) -> bool:
    """Whether the same request may succeed in a moment: no connection, too slow, locked, full, or read-only for now.
    Everything else that a database says is a mistake of ours."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, InternalError) and getattr(error.__cause__, "sqlstate", "") == _READ_ONLY
