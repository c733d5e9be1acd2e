"""The cast as a fixture. The people are imported late: Django may not be ready yet."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture
def cast(db: None) -> "Cast":
    """Everybody of tests/cast.py; asks for the database by itself."""
    from tests.cast import make_cast

    return make_cast()
