"""The cast as a fixture. The people are imported late: Django may not be ready yet."""

from typing import TYPE_CHECKING

import pytest
from pytest_django import DjangoDbBlocker

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture(scope="session")
def recorded_cast(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Recorded before any test has changed a setting or a service."""
    from tests.cast import record_cast

    with django_db_blocker.unblock():
        record_cast()


@pytest.fixture
def cast(recorded_cast: None, db: None) -> "Cast":
    """Everybody of tests/cast.py; asks for the database by itself."""
    from tests.cast import make_cast

    return make_cast()
