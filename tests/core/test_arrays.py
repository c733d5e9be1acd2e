"""Long lists as one text: what PostgreSQL reads of it is what the list said."""

import datetime as dt
import gc
from typing import Any

import pytest
from django.db import connection

from core.arrays import array_words
from core.collecting import collector_resting

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, None, -(2**40)]),
        (
            "text",
            ["", "plain", 'a "quoted" one', "back\\slash", "NULL", "{a,b}", " 空 ", "line\nbreak", None],
        ),
        ("date", [dt.date(2024, 2, 29), None]),
        ("timestamptz", [dt.datetime(2026, 1, 1, 0, 0, 0, 17, dt.UTC)]),
        ("bigint", []),
    ],
)
def test_the_server_reads_what_the_list_says(kind: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT one FROM unnest(%s::{kind}[]) AS one", [array_words(values)])
        assert [row[0] for row in cursor.fetchall()] == values


def fail_at_rest() -> None:
    with collector_resting():
        assert not gc.isenabled()
        with collector_resting():
            pass
        assert not gc.isenabled()  # the inner one found it resting
        raise LookupError


def test_the_collector_rests_and_works_again_whatever_happens() -> None:
    assert gc.isenabled()
    with pytest.raises(LookupError):
        fail_at_rest()
    assert gc.isenabled()
