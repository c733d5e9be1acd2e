"""The nightly job: set-based, killed in the middle, run twice, at Shanghai midnight, beside spending."""

import datetime as dt
from functools import partial
from typing import Any

import pytest

from core import clock, events
from core.models import AuditEntry
from members import events as member_events
from members import services
from members.models import ExpiryNotice, PointsAccount, PointsEntry, PointsLot
from members.services import points_expiry
from tests.killed_job import killed_while_waiting
from tests.members.points_kit import (
    TILL,
    balance_of,
    check_sums,
    credit,
    debit,
    decide,
    in_days,
    make_member,
    remaining_of,
)
from tests.threads import at_once, end_while_waiting


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is announced, heard by a real handler's place in the table."""
    heard: list[Any] = []
    kinds = (member_events.PointsExpired, member_events.PointsExpiring)
    monkeypatch.setattr(events, "_routes", dict.fromkeys(kinds, ("here",)))
    monkeypatch.setattr(events, "_dispatcher", lambda _path, event: heard.append(event))
    return heard


def _night_of(day: dt.date, hours: int = 3) -> dt.datetime:
    return clock.day_bounds(day)[0] + dt.timedelta(hours=hours)


@pytest.mark.django_db
def test_the_job_writes_one_entry_for_an_account_and_day() -> None:
    member, other = make_member(), make_member("other")
    credit(member, 50, "a", expires_on=in_days(1))
    credit(member, 30, "b", expires_on=in_days(2))
    credit(member, 20, "c", expires_on=in_days(3))
    credit(other, 7, "a", expires_on=in_days(30))
    debit(member, 10, "order:1")
    run = services.expire_points(actor=TILL, at=_night_of(in_days(3)))
    assert (run.account_count, run.points, remaining_of(member)) == (1, 70, [0, 0, 20])
    entry = PointsEntry.objects.get(kind="expire")
    assert (entry.delta, entry.balance_after, entry.uses.count()) == (-70, 20, 2)
    again = services.expire_points(actor=TILL, at=_night_of(in_days(3), hours=5))
    assert (again.account_count, again.points) == (0, 0)
    assert balance_of(other) == 7
    assert AuditEntry.objects.filter(action="members.points_expired").count() == 1
    check_sums()


@pytest.mark.django_db
def test_nothing_expires_before_shanghai_midnight() -> None:
    member = make_member()
    day = dt.date(2026, 3, 31)
    midnight = dt.datetime(2026, 3, 31, 16, tzinfo=dt.UTC)
    credit(member, 50, "a", expires_on=day, at=midnight - dt.timedelta(days=2))
    assert services.expire_points(actor=TILL, at=midnight - dt.timedelta(seconds=1)).points == 0
    assert services.expire_points(actor=TILL, at=midnight).points == 50
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_a_job_killed_in_the_middle_has_done_whole_slices_and_the_next_does_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(points_expiry, "SLICE", 2)
    members = [make_member(f"m{number}") for number in range(5)]
    for member in members:
        credit(member, 50, "a", expires_on=in_days(1))
    last = PointsLot.objects.order_by("-pk").first()
    assert last is not None
    # The server ends the job's statement while it waits in its last slice.
    end_while_waiting(
        partial(PointsAccount.objects.lock, last.account_id),
        partial(services.expire_points, actor=TILL, at=_night_of(in_days(2))),
    )
    assert sorted(map(balance_of, members)) == [0, 0, 0, 0, 50]
    check_sums()
    run = services.expire_points(actor=TILL, at=_night_of(in_days(2)))
    assert (run.account_count, run.points) == (1, 50)
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_what_a_job_killed_by_the_kernel_left_undone_the_next_one_does() -> None:
    members = [make_member(key) for key in ("one", "two", "three")]
    for member in members:
        credit(member, 50, "a", expires_on=in_days(1))
    night = _night_of(in_days(2))
    accounts = sorted(PointsAccount.objects.values_list("pk", flat=True))
    job = (
        "import datetime as dt; from core.actor import Actor; from members import services; "
        "from members.services import points_expiry; points_expiry.SLICE = 1; "
        f"services.expire_points(actor=Actor.system('job'), at=dt.datetime.fromisoformat({night.isoformat()!r}))"
    )
    lock = "SELECT 1 FROM members_pointsaccount WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(job, lock=lock, values={"id": accounts[1]}):
        assert [remaining_of(member) for member in members] == [[0], [50], [50]]
    run = services.expire_points(actor=TILL, at=night)
    assert (run.account_count, run.points) == (2, 100)
    assert PointsEntry.objects.filter(kind="expire").count() == 3
    for member in members:
        check_sums(member)


@pytest.mark.django_db(transaction=True)
def test_two_jobs_and_spending_at_once_lose_and_double_nothing() -> None:
    members = [make_member(f"m{number}") for number in range(8)]
    for member in members:
        credit(member, 50, "a", expires_on=in_days(1))
        credit(member, 50, "b", expires_on=in_days(30))
    night = _night_of(in_days(2))
    at_once(
        [
            *[partial(services.expire_points, actor=TILL, at=night)] * 3,
            *[partial(debit, member, 20, "order:1", at=night) for member in members],
        ]
    )
    services.expire_points(actor=TILL, at=night)
    assert {balance_of(member) for member in members} == {30}
    assert PointsEntry.objects.filter(kind="expire").count() == 8
    check_sums()


@pytest.mark.django_db(transaction=True)
def test_each_slice_announces_its_range_of_entries(told: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points_expiry, "SLICE", 2)
    for number in range(3):
        credit(make_member(f"m{number}"), 50, "a", expires_on=in_days(1))
    services.expire_points(actor=TILL, at=_night_of(in_days(2)))
    ranges = [(event.first_entry_id, event.last_entry_id) for event in told]
    covered = PointsEntry.objects.filter(kind="expire")
    assert len(ranges) == 2
    assert sum(covered.filter(pk__range=pair).count() for pair in ranges) == covered.count() == 3


@pytest.mark.django_db(transaction=True)
def test_who_loses_points_soon_is_told_once_for_each_day(told: list[Any]) -> None:
    decide(notice_days=7)
    member, other = make_member(), make_member("other")
    credit(member, 50, "a", expires_on=in_days(7))
    credit(member, 5, "b", expires_on=in_days(7))
    credit(member, 20, "c", expires_on=in_days(3))
    credit(other, 20, "c", expires_on=in_days(8))
    assert services.announce_expiring_points(actor=TILL) == 2
    assert services.announce_expiring_points(actor=TILL) == 0
    assert sorted((event.member_id, event.expires_on, event.points) for event in told) == sorted(
        [(member, in_days(3).isoformat(), 20), (member, in_days(7).isoformat(), 55)]
    )
    assert services.announce_expiring_points(actor=TILL, at=_night_of(in_days(1))) == 1
    assert ExpiryNotice.objects.count() == 3
