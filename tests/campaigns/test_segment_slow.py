"""A database that is not done in time is told as such, and the next statement is not hurried."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from campaigns.errors import SegmentTooSlow
from campaigns.selectors import segments
from campaigns.selectors.segments import people as segment_people
from tests.killed_job import database_url

pytestmark = pytest.mark.django_db(transaction=True)


@contextlib.contextmanager
def held(table: str) -> Iterator[None]:
    """Nobody reads the table meanwhile."""
    with psycopg.connect(database_url()) as other, other.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


def test_a_count_that_takes_too_long_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = segments.read_rule({"is": "campaigns.read"})
    with held("campaigns_inboxmessage"), monkeypatch.context() as patch:
        patch.setattr(segment_people, "PATIENCE_MS", 300)
        assert segments.count_members(tree).member_count is None
        with pytest.raises(SegmentTooSlow):
            segments.list_sample(tree)
        with pytest.raises(SegmentTooSlow):
            segments.list_pivots(tree)
    assert segments.count_members(tree).member_count == 0
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] != "300ms"
