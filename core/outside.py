"""The rule for everything that leaves this process: not while the database waits for it."""

from django.db import transaction


def refuse_open_transaction() -> None:
    """Raise RuntimeError inside a transaction: the other side's slowness would hold its locks, and a rollback
    would not take the call back."""
    if transaction.get_connection().in_atomic_block:
        raise RuntimeError("a call to the outside must not run inside a transaction")
