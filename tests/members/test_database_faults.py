"""A database that refuses to write, takes too long or is full: no member, merge or point is half written."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from members import services
from members.models import ImportJob, Member, MemberMerge, PointsAccount
from tests.database_faults import assert_refused, picture, set_session
from tests.full_disk import full_disk
from tests.killed_job import database_url
from tests.members.import_kit import STAFF, check, people, text_of, upload
from tests.members.merge_kit import customer, follower, merge, undo
from tests.members.points_kit import check_sums, credit, debit, reverse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    settings.IMPORT_ROOT = tmp_path


@pytest.fixture
def holder() -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url()) as other:
        yield other


class Desk:
    """People of whom some are one person, points in their hands, and a file that somebody has started."""

    def __init__(self) -> None:
        self.rich, self.double = customer("13800000001").id, follower("double").id
        self.parted = merge(customer("13800000002").id, follower("parted").id)
        credit(self.rich, 100, "first")
        credit(self.rich, 50, "second")
        self.job = check(upload(text_of(people(2)))).pk
        services.start_import(job_id=self.job, actor=STAFF)
        self.acts: list[Callable[[], Any]] = [
            partial(credit, self.rich, 30, "third"),
            partial(debit, self.rich, 120, "spent"),
            partial(reverse, self.rich, "second", "back"),
            partial(merge, self.rich, self.double),
            partial(undo, self.parted),
            partial(customer, "13800000003"),
        ]

    def assert_all_refused(self, code: str) -> None:
        before = self._picture()
        for act in self.acts:
            assert_refused(act, code)
        assert_refused(partial(services.work_import, self.job), code)
        assert self._picture() == before

    def _picture(self) -> dict[str, list[Any]]:
        """But how often a worker took the file, which one that could still write has noted."""
        rows = picture("members")
        for job in rows["members.ImportJob"]:
            del job["claim_count"]
        return rows

    def assert_all_done(self) -> None:
        for act in self.acts:
            act()
        services.work_import(self.job)
        assert PointsAccount.objects.get(member_id=self.rich).balance == 10
        assert MemberMerge.objects.live().count() == 1
        assert ImportJob.objects.get(pk=self.job).state == "finished"
        assert Member.objects.filter(merged_into=None).count() == 6
        check_sums()


def test_a_read_only_database_refuses_and_recovers() -> None:
    desk = Desk()
    set_session("default_transaction_read_only", "on")
    desk.assert_all_refused("25006")
    set_session("default_transaction_read_only", "off")
    desk.assert_all_done()


@pytest.mark.parametrize(("limit", "code"), [("statement_timeout", "57014"), ("lock_timeout", "55P03")])
def test_what_takes_too_long_is_given_up_whole(
    holder: psycopg.Connection[Any], limit: str, code: str
) -> None:
    """Somebody holds what each of them writes last or nearly so."""
    desk = Desk()
    for table in ("members_pointslotuse", "members_pointslot", "members_member", "members_membermerge"):
        holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
    set_session(limit, "'150ms'")
    desk.assert_all_refused(code)
    holder.rollback()
    set_session(limit, "'10s'")
    desk.assert_all_done()


def test_on_a_full_disk_no_points_are_written_and_no_merge_is_recorded() -> None:
    first, second = customer("13800000001").id, follower("double").id
    acts: list[Callable[[], Any]] = [partial(credit, first, 30, "one"), partial(merge, first, second)]
    with full_disk("members_pointslot"), full_disk("members_membermerge"):
        before = picture("members")
        for act in acts:
            assert_refused(act, "53100")
        assert picture("members") == before
    for act in acts:
        act()
    assert PointsAccount.objects.get(member_id=first).balance == 30
    check_sums()
