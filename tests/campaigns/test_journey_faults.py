"""Journeys when things go wrong: killed, frozen, raced, flushed, with clocks that jump and acts that fail for ever."""

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction

from campaigns.models import Enrolment, EnrolmentStep, JourneyMoment
from campaigns.services import journeys
from campaigns.services.journeys import keeping
from campaigns.services.journeys.rows import LEASE, Held, claim_due, due_journeys, hold, write
from core import clock
from members.models import Member, PointsAccount, PointsEntry
from tests.campaigns.journey_kit import (
    BOSS,
    DAY,
    HOUR,
    definition,
    enter,
    points,
    run,
    start,
    state,
    wait,
    wait_event,
)
from tests.cast import Cast
from tests.coupons import kit as coupon_kit
from tests.killed_job import killed_while_waiting
from tests.threads import at_once

HOLDER = "first"
_RUN = "from campaigns.services import journeys; journeys.run_journeys()"


def crowd(row: Any, count: int) -> list[int]:
    ids = coupon_kit.make_members(count)
    version = row.version
    entries = [journeys.Entry(member_id, f"c:{member_id}") for member_id in ids]
    assert len(journeys.let_in(version=version, entries=entries, at=clock.now())) == count
    return ids


def leased(row: Any) -> list[Held]:
    """Who is due in it stands at an act, in the hand of somebody of whom nothing more is heard."""
    at = clock.now()
    with transaction.atomic():
        hand = claim_due(journey_id=row.pk, at=at)
        for held in hand:
            held.keeps = True
        assert write(rows=hand, holder=HOLDER, at=at) == 0
    return hand


def sums() -> tuple[int, int]:
    """Entries of points, and the greatest balance of anybody."""
    return PointsEntry.objects.count(), max(
        PointsAccount.objects.values_list("balance", flat=True), default=0
    )


@pytest.mark.django_db(transaction=True)
def test_killed_in_mid_act_nothing_is_lost_and_nothing_doubled(cast: Cast) -> None:
    row = start(definition({"a": points(1, following="b"), "b": points(10)}))
    ids = crowd(row, 30)
    lock = "SELECT id FROM members_member WHERE id = %(id)s FOR UPDATE"
    with killed_while_waiting(_RUN, lock=lock, values={"id": max(ids)}):
        pass
    assert sums() == (0, 0)
    assert run() == 0  # in the hand of the dead
    run(LEASE + HOUR)
    assert sums() == (60, 11)
    assert not Enrolment.objects.exclude(state="done").exists()
    assert EnrolmentStep.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_two_runners_at_once_do_everything_once(cast: Cast) -> None:
    row = start(definition({"a": points(1, following="b"), "b": points(10)}))
    crowd(row, 120)
    answers = at_once([journeys.run_journeys] * 2)
    assert all(isinstance(answer, int) for answer in answers)
    run()
    assert sums() == (240, 11)


@pytest.mark.django_db(transaction=True)
def test_a_moment_is_heard_once_by_two_who_listen(cast: Cast) -> None:
    start(definition({"a": points(1)}, on="followed"))
    ids = coupon_kit.make_members(60)
    Member.objects.filter(pk__in=ids).update(is_following=True)
    at_once([journeys.hear_moments] * 2)
    assert not JourneyMoment.objects.exists()
    assert Enrolment.objects.count() == 60


@pytest.mark.django_db(transaction=True)
def test_a_database_that_ends_our_session_loses_nothing(cast: Cast) -> None:
    row = start(definition({"a": points(1)}))
    crowd(row, 20)
    assert len(leased(row)) == 20
    connection.close()  # as a restart leaves it
    assert run() == 0
    assert run(LEASE + HOUR) == 20
    assert sums() == (20, 1)


def test_redis_that_forgets_changes_nothing(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    crowd(row, 5)
    cache.clear()
    run(DAY + HOUR)
    assert sums() == (5, 1)


def test_who_is_frozen_past_her_lease_changes_nothing(cast: Cast) -> None:
    row = start(definition({"a": points(1)}))
    crowd(row, 3)
    frozen = leased(row)
    run(LEASE + HOUR)
    assert hold(journey_id=row.pk, ids=[held.id for held in frozen], holder=HOLDER) == []
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"done"}


def test_a_clock_that_goes_back_an_hour_does_nothing_twice_and_forgets_nobody(cast: Cast) -> None:
    now = clock.now()
    row = start(definition({"a": points(1, following="b"), "b": wait(1, "c"), "c": points(1)}))
    with time_machine.travel(now + HOUR, tick=False):  # an hour ahead
        crowd(row, 4)
        leased(row)
    assert journeys.run_journeys(at=now) == 0  # due in an hour by the clock that was wrong
    with time_machine.travel(now, tick=False):
        # Leases of the clock that was wrong are not believed for hours.
        Enrolment.objects.update(leased_until=now + 5 * HOUR, due_at=now)
        assert journeys.run_journeys() == 4
        assert journeys.run_journeys() == 0
    assert journeys.run_journeys(at=now + DAY + HOUR) == 8
    assert sums() == (8, 2)


def test_a_date_is_looked_at_once_when_the_clock_goes_back(cast: Cast) -> None:
    at = dt.datetime(2026, 12, 1, 1, 0, tzinfo=dt.UTC)
    trigger = {"on": "daily", "with": {"rule": {"is": "members.following"}, "at": "10:00"}}
    start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}, "re_entry": {"how": "always"}}, at=at)
    first = journeys.look_for_dates(at=at + 2 * HOUR)
    journeys.run_journeys(at=at + 2 * HOUR)
    assert first
    assert journeys.look_for_dates(at=at + HOUR) == 0
    assert journeys.look_for_dates(at=at + 3 * HOUR) == 0


def test_one_that_goes_wrong_keeps_no_other_waiting_and_is_parked(cast: Cast) -> None:
    row = start(definition({"a": points(1)}))
    ids = crowd(row, 17)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.member_id = " + str(ids[5]) + " THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON members_pointsaccount FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
        )
    run()
    assert sums() == (16, 1)
    bad = Enrolment.objects.get(member_id=ids[5])
    assert (bad.state, bad.code, bad.attempt_count) == ("waiting", "error:RaiseException", 1)
    after = HOUR
    for _try in range(9):
        run(after)
        after += 2 * DAY
    assert state(bad) == ("failed", "a", "error:RaiseException")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER poison ON members_pointsaccount")
    assert journeys.retry_parked(journey_id=row.pk, actor=BOSS) == 1
    run()
    assert sums() == (17, 1)


def test_an_act_that_fails_for_everybody_for_ever_parks_them_and_keeps_no_other_waiting(cast: Cast) -> None:
    row = start(definition({"a": points(1)}))
    ids = crowd(row, 20)
    good = start(definition({"a": points(1)}), "好的")
    [mine] = enter(good, cast.xiaomei.id)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.member_id BETWEEN {min(ids)} AND {max(ids)} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON members_pointsaccount FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
        )
    run()
    assert state(mine)[0] == "done"
    bad = Enrolment.objects.filter(journey=row)
    assert set(bad.values_list("state", "attempt_count")) == {("waiting", 1)}
    assert run() == 0, "not again at once"
    for tried in range(1, 10):
        run(tried * 2 * DAY)
    assert set(bad.values_list("state", "code")) == {("failed", "error:RaiseException")}
    assert run(99 * DAY) == 0
    assert sums() == (1, 1)
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER poison ON members_pointsaccount")
    assert journeys.retry_parked(journey_id=row.pk, actor=BOSS) == 20
    run()
    assert set(bad.values_list("state", flat=True)) == {"done"}
    assert sums() == (21, 1)


def test_a_request_that_wakes_a_crowd_ends_and_the_next_goes_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = start(definition({"a": points(1)}))
    crowd(row, 5)
    Enrolment.objects.update(state="failed", code="error:DataError")
    monkeypatch.setattr(keeping, "_AT_ONCE", 3)
    monkeypatch.setattr(keeping, "_RETRY_S", -1.0)
    assert [journeys.retry_parked(journey_id=row.pk, actor=BOSS) for _press in range(3)] == [3, 2, 0]
    assert set(Enrolment.objects.values_list("state", "code")) == {("waiting", "")}


def test_a_crowd_in_one_journey_does_not_keep_another_waiting(cast: Cast) -> None:
    many = start(definition({"a": points(1)}))
    crowd(many, 50)
    few = start(definition({"a": points(1)}), "少数")
    [mine] = enter(few, cast.xiaomei.id)
    at = clock.now()
    assert due_journeys(at=at) == [many.pk, few.pk]
    assert len(claim_due(journey_id=many.pk, at=at, each=10)) == 10
    assert [held.id for held in claim_due(journey_id=few.pk, at=at, each=10)] == [mine.pk]


def test_an_exit_that_was_committed_is_heard_before_the_act(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}, exits=[{"on": "unfollowed"}]))
    [mine] = enter(row, cast.xiaomei.id)
    Member.objects.filter(pk=cast.xiaomei.id).update(is_following=False)
    assert claim_due(journey_id=row.pk, at=clock.now() + 2 * DAY) == []
    run(2 * DAY)
    assert state(mine)[0] == "exited"
    assert sums() == (0, 0)


def test_a_journey_paused_in_mid_hand_lets_nobody_move(cast: Cast) -> None:
    row = start(definition({"a": points(1)}))
    crowd(row, 3)
    hand = leased(row)
    journeys.pause_journey(journey_id=row.pk, actor=BOSS)
    assert hold(journey_id=row.pk, ids=[held.id for held in hand], holder=HOLDER) == []
    journeys.start_journey(journey_id=row.pk, actor=BOSS)
    run(LEASE + HOUR)
    assert sums() == (3, 1)


def test_a_thousand_due_move_by_few_statements(cast: Cast) -> None:
    from django.test.utils import CaptureQueriesContext

    row = start(definition({"a": wait_event("bought", 1, "b", "b"), "b": points(1)}))
    crowd(row, 1_000)
    with CaptureQueriesContext(connection) as queries:
        run(2 * DAY)
    assert sums() == (1_000, 1)
    assert len(queries) < 80
