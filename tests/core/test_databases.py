"""What the database says when it is away for a moment, and when it is our mistake: asked of the real one."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from assistant.screens import open_screen
from core.databases import is_away
from members.models import Tag, TagGroup
from miniapp.api import MiniView
from tests.full_disk import full_disk


def write_on_a_standby() -> None:
    """PostgreSQL's own refusal of a write, as a standby gives it too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        Tag.objects.create(name="x")


def divide_by_zero() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def wait_too_long() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 5")
        cursor.execute("SELECT pg_sleep(5)")


def write_on_a_full_disk() -> None:
    """The kernel's ENOSPC, through PostgreSQL."""
    with full_disk("members_taggroup"):
        TagGroup.objects.create(name="x")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("ask", "away"),
    [
        (write_on_a_standby, True),
        (write_on_a_full_disk, True),
        (wait_too_long, True),
        (divide_by_zero, False),
    ],
)
def test_what_may_pass_is_told_from_what_will_not(ask, away):
    with pytest.raises(DatabaseError) as told:
        ask()
    assert is_away(told.value) is away


def test_a_mistake_that_no_database_made_is_never_away():
    assert not is_away(RuntimeError("away"))


class Write(MiniView):
    """A write where none is taken."""

    def get(self, request: Request) -> Response:
        write_on_a_standby()
        raise AssertionError("the write was taken")


@open_screen
def write_screen(request: HttpRequest) -> HttpResponse:
    write_on_a_standby()
    raise AssertionError("the write was taken")


urlpatterns = [path("write", Write.as_view())]


@pytest.mark.urls(__name__)
@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_is_a_503_at_the_api():
    answer = Client().get("/write")
    assert (answer.status_code, answer.json()["code"]) == (503, "core.unavailable")


@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_is_a_503_on_a_screen():
    answer = write_screen(RequestFactory().get("/a/x/"))
    assert (answer.status_code, answer["X-Refusal"]) == (503, "assistant.database_away")
