"""A database that refuses to write, and what must be true of everything that was tried meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection


def set_session(name: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET {name} = {value}")


def assert_refused(act: Callable[[], Any], *codes: str) -> None:
    """The act fails with that error of PostgreSQL and leaves the connection usable."""
    with pytest.raises(DatabaseError) as caught:
        act()
    assert getattr(caught.value.__cause__, "sqlstate", None) in codes
    assert not connection.in_atomic_block


def picture(*app_labels: str) -> dict[str, list[Any]]:
    """Every row of these apps, to be held against a later picture."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for label in app_labels
        for model in apps.get_app_config(label).get_models()
    }
