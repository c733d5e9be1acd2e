"""Journeys: members enter, wait, branch, have things done for them once, and leave."""

import contextlib
import datetime as dt
from typing import Any

import pytest
from django.apps import apps

from campaigns.errors import (
    EnrolmentNotParked,
    EnrolmentOver,
    JourneyChangedMeanwhile,
    JourneyNotForHer,
    JourneyNotInThisState,
    JourneyNotOpen,
    JourneyNotRunning,
    JourneyUnfit,
    NoSuchJourney,
)
from campaigns.models import (
    Enrolment,
    Journey,
    JourneyCount,
    JourneyMoment,
    JourneyVersion,
)
from campaigns.services import journeys
from core import clock
from core.actor import Actor
from coupons import services as coupon_services
from coupons.models import CouponBatch
from members import selectors as member_selectors
from members import services as member_services
from members.models import Member
from tests.campaigns.journey_kit import (
    BOSS,
    DAY,
    HOUR,
    MINUTE,
    change,
    definition,
    enter,
    path,
    points,
    run,
    start,
    state,
    wait,
    wait_event,
)
from tests.cast import Cast
from tests.coupons import kit as coupon_kit


def balance(member_id: int) -> int:
    return member_selectors.get_points_summary(member_id).balance


def follow(member_id: int, value: bool = True) -> None:
    Member.objects.filter(pk=member_id).update(is_following=value)


def test_she_goes_from_step_to_step_when_each_is_due(cast: Cast) -> None:
    she = cast.xiaomei.id
    row = start(definition({"a": points(10, following="b"), "b": wait(3, "c"), "c": points(5)}))
    [enrolment] = enter(row, she)
    assert run() == 1
    assert (balance(she), state(enrolment)) == (10, ("waiting", "b", ""))
    assert run(2 * DAY) == 0
    assert run(3 * DAY + MINUTE) == 2
    assert (balance(she), state(enrolment)) == (15, ("done", "c", ""))
    assert run(9 * DAY) == 0
    assert path(enrolment) == [("a", "next", ""), ("b", "next", ""), ("c", "next", "")]


def test_until_a_time_of_the_day_is_shanghais(cast: Cast) -> None:
    step = {"kind": "wait_until", "with": {"at": "10:00", "weekdays": ["1"]}, "next": "b"}
    at = dt.datetime(2026, 11, 30, 1, 59, tzinfo=dt.UTC)  # a Monday, 9:59 in Shanghai
    row = start(definition({"a": step, "b": points(1)}), at=at)
    [first] = enter(row, cast.xiaomei.id, at=at)
    assert first.due_at == dt.datetime(2026, 11, 30, 2, 0, tzinfo=dt.UTC)
    [second] = enter(row, cast.xiaoli.id, at=at + MINUTE)
    assert second.due_at == dt.datetime(2026, 12, 7, 2, 0, tzinfo=dt.UTC)


def test_a_moment_wakes_who_waits_for_it_and_others_time_out(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    follow(she, False)
    steps = {"a": wait_event("followed", 7, "b", "c"), "b": points(10), "c": points(1)}
    row = start(definition(steps))
    mine, theirs = enter(row, she, other)
    run()
    follow(she)
    assert JourneyMoment.objects.count() == 1
    run()
    assert (balance(she), state(mine)[0]) == (10, "done")
    assert state(theirs)[:2] == ("waiting", "a")
    run(7 * DAY + MINUTE)
    assert (balance(other), state(theirs)[0]) == (1, "done")
    assert path(theirs)[0] == ("a", "else", "")


def test_branches_ask_rules_for_all_at_once_what_happened_and_draw_the_same_again(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    follow(other, False)
    steps = {
        "a": {"kind": "branch_rule", "with": {"rule": {"is": "members.following"}}, "next": "b", "else": "c"},
        "b": points(10, following="d"),
        "c": points(1, following="d"),
        "d": wait(1, "e"),
        "e": {"kind": "branch_event", "with": {"event": "followed"}, "next": "f"},
        "f": points(100),
    }
    row = start(definition(steps))
    mine, _theirs = enter(row, she, other)
    run()
    assert (balance(she), balance(other)) == (10, 1)
    follow(other)
    run(DAY + MINUTE)
    assert (balance(she), balance(other)) == (10, 101)
    assert path(mine)[-1] == ("e", "else", "")
    share = start(
        definition({"a": {"kind": "branch_share", "with": {"percent": 30}, "next": "b"}, "b": points(1)}),
        "份额",
    )
    ids = coupon_kit.make_members(300)
    enter(share, *ids)
    run()
    chosen = Enrolment.objects.filter(journey=share, moved_count=2).count()
    assert 60 <= chosen <= 120


def test_a_moment_lets_in_and_is_not_heard_by_the_way_that_it_began(cast: Cast) -> None:
    row = start(
        definition(
            {"a": wait(1, "b"), "b": points(1)},
            on="followed",
            exits=[{"on": "followed"}],
            re_entry={"how": "always"},
        )
    )
    follow(cast.xiaoli.id, False)
    follow(cast.xiaoli.id)
    run()
    [first] = Enrolment.objects.filter(journey=row)
    assert state(first)[0] == "waiting"
    follow(cast.xiaoli.id, False)
    follow(cast.xiaoli.id)
    run()
    second = Enrolment.objects.filter(journey=row).latest("pk")
    assert state(first) == ("exited", "a", "event:followed")
    assert second.pk != first.pk
    assert state(second)[0] == "waiting"


def test_moments_of_before_a_journey_ran_begin_nothing(cast: Cast) -> None:
    follow(cast.xiaoli.id, False)
    start(definition({"a": points(1)}, on="followed"))
    run()
    assert not Enrolment.objects.exists()


@pytest.mark.parametrize(
    ("re_entry", "soon", "after_ten_days"),
    [({"how": "never"}, 1, 1), ({"how": "after_days", "days": 7}, 1, 2), ({"how": "always"}, 2, 3)],
)
def test_whether_she_may_enter_again(re_entry: Any, soon: int, after_ten_days: int, cast: Cast) -> None:
    row = start(definition({"a": points(1)}, re_entry=re_entry))
    she, now = cast.xiaomei.id, clock.now()
    enter(row, she, key="k1", at=now)
    with pytest.raises(JourneyNotForHer):
        enter(row, she, key="k0", at=now)  # she is under way
    journeys.run_journeys(at=now)
    for key, at, wanted in (("k2", now + HOUR, soon), ("k3", now + 10 * DAY, after_ten_days)):
        with contextlib.suppress(JourneyNotForHer):
            enter(row, she, key=key, at=at)
        journeys.run_journeys(at=at)
        assert balance(she) == wanted


def test_a_key_enters_once_and_gets_the_first_answer(cast: Cast) -> None:
    row = start(definition({"a": points(1)}, re_entry={"how": "always"}))
    [first] = enter(row, cast.xiaomei.id)
    assert enter(row, cast.xiaomei.id) == [first]
    run()
    assert enter(row, cast.xiaomei.id) == [first]
    run()
    assert balance(cast.xiaomei.id) == 1


def test_who_may_enter_says_a_rule(cast: Cast) -> None:
    follow(cast.xiaoli.id, False)
    row = start(definition({"a": points(1)}, who={"is": "members.following"}))
    enter(row, cast.xiaomei.id)
    with pytest.raises(JourneyNotForHer):
        enter(row, cast.xiaoli.id)


def test_exits_and_the_goal_are_looked_for_before_anything_is_done(cast: Cast) -> None:
    she, other = cast.xiaomei.id, cast.xiaoli.id
    following = {"is": "members.following"}
    row = start(definition({"a": wait(1, "b"), "b": points(1)}, exits=[{"rule": {"none": [following]}}]))
    goal = start(definition({"a": wait(1, "b"), "b": points(1)}, goal={"rule": following}), "目标")
    mine, theirs = enter(row, she, other)
    [goals] = enter(goal, she)
    follow(other, False)
    run(DAY + MINUTE)
    assert state(mine)[0] == "done"
    assert state(theirs) == ("exited", "b", "rule")
    assert state(goals) == ("achieved", "b", "rule")
    assert (balance(she), balance(other)) == (1, 0)


def test_a_goal_by_a_moment_ends_it_at_once(cast: Cast) -> None:
    row = start(definition({"a": wait(9, "b"), "b": points(1)}, goal={"on": "unfollowed"}))
    [mine] = enter(row, cast.xiaomei.id)
    follow(cast.xiaomei.id, False)
    run()
    assert state(mine) == ("achieved", "a", "event:unfollowed")
    journeys.fold_journey_counts()
    counts = dict(JourneyCount.objects.filter(version=row.version, step="").values_list("way", "count"))
    assert counts == {"entered": 1, "achieved": 1}


def test_rounds_are_bounded(cast: Cast) -> None:
    row = start(definition({"a": points(1, following="b"), "b": wait(1, "a")}, most_rounds=3))
    [mine] = enter(row, cast.xiaomei.id)
    for day in range(8):
        run(day * DAY + day * MINUTE)
    assert balance(cast.xiaomei.id) == 4
    assert state(mine) == ("done", "b", "rounds")


def test_who_is_under_way_finishes_her_version(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    [mine] = enter(row, cast.xiaomei.id)
    change(row, definition({"a": points(100)}))
    [theirs] = enter(row, cast.xiaoli.id)
    run(DAY + MINUTE)
    assert (balance(cast.xiaomei.id), balance(cast.xiaoli.id)) == (1, 100)
    assert mine.version.number == 1
    assert theirs.version.number == 2
    change(row, definition({"a": points(100)}))
    assert JourneyVersion.objects.count() == 2


def test_a_paused_journey_stands_still_and_goes_on(cast: Cast) -> None:
    row = start(definition({"a": points(1)}))
    enter(row, cast.xiaomei.id)
    journeys.pause_journey(journey_id=row.pk, actor=BOSS)
    assert run() == 0
    with pytest.raises(JourneyNotRunning):
        enter(row, cast.xiaoli.id)
    journeys.start_journey(journey_id=row.pk, actor=BOSS)
    assert run() == 1


def test_an_ended_journey_lets_everybody_out(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    [mine] = enter(row, cast.xiaomei.id)
    journeys.end_journey(journey_id=row.pk, actor=BOSS)
    assert journeys.finish_ended_journeys() == 1
    assert state(mine) == ("exited", "a", "journey_ended")
    assert run(2 * DAY) == 0
    with pytest.raises(NoSuchJourney):
        enter(row, cast.xiaoli.id)
    with pytest.raises(JourneyNotInThisState):
        journeys.start_journey(journey_id=row.pk, actor=BOSS)


def test_a_refused_act_takes_its_own_way_or_goes_on(cast: Cast) -> None:
    batch_id = coupon_kit.make_batch(1)
    give = {"kind": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch_id).public_id}, "next": "b"}
    row = start(definition({"a": give, "b": points(10)}))
    other = start(definition({"a": {**give, "else": "c"}, "b": points(10), "c": points(1)}), "另一条路")
    enter(row, cast.xiaomei.id)
    run()
    enter(row, cast.xiaoli.id)
    [mine] = enter(other, cast.xiaomei.id)
    run()
    assert (balance(cast.xiaoli.id), balance(cast.xiaomei.id)) == (10, 11)
    assert path(mine)[0] == ("a", "refused", "coupons.batch_sold_out")


def test_what_is_for_later_is_tried_again_and_parked_in_the_end(cast: Cast) -> None:
    batch_id = coupon_kit.make_batch(5)
    coupon_services.pause_batch(batch_id=batch_id, actor=BOSS)
    give = {"kind": "coupon", "with": {"batch": CouponBatch.objects.get(pk=batch_id).public_id}}
    row = start(definition({"a": give}))
    [mine] = enter(row, cast.xiaomei.id)
    after = dt.timedelta()
    for _time in range(9):
        run(after)
        after += 2 * DAY
    assert state(mine) == ("failed", "a", "coupons.batch_paused")
    assert run(99 * DAY) == 0
    coupon_services.open_batch(batch_id=batch_id, actor=BOSS)
    journeys.retry_enrolment(enrolment_id=mine.pk, actor=BOSS)
    run()
    assert state(mine)[0] == "done"
    with pytest.raises(EnrolmentNotParked):
        journeys.retry_enrolment(enrolment_id=mine.pk, actor=BOSS)


def test_staff_let_somebody_out(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    [mine] = enter(row, cast.xiaomei.id)
    journeys.exit_enrolment(enrolment_id=mine.pk, actor=BOSS)
    assert state(mine) == ("exited", "a", "staff")
    with pytest.raises(EnrolmentOver):
        journeys.exit_enrolment(enrolment_id=mine.pk, actor=BOSS)


def test_drafts_may_have_faults_but_do_not_run(cast: Cast) -> None:
    row = journeys.create_journey(name="半成品", draft={"steps": 3}, actor=BOSS)
    with pytest.raises(JourneyUnfit):
        journeys.start_journey(journey_id=row.pk, actor=BOSS)
    assert journeys.save_draft(journey_id=row.pk, revision=1, name="半", note="", draft={}, actor=BOSS) == 2
    with pytest.raises(JourneyChangedMeanwhile):
        journeys.save_draft(journey_id=row.pk, revision=1, name="半", note="", draft={}, actor=BOSS)
    with pytest.raises(JourneyUnfit):
        journeys.save_draft(journey_id=row.pk, revision=2, name="半", note="", draft={"x": "\0"}, actor=BOSS)


def test_only_what_begins_by_the_api_is_entered_by_it(cast: Cast) -> None:
    row = start(definition({"a": points(1)}, on="followed"))
    with pytest.raises(JourneyNotOpen):
        enter(row, cast.xiaomei.id)


def test_birthdays_enter_on_their_day_once_and_missed_days_are_made_up_for(cast: Cast) -> None:
    born = dt.date(1990, 12, 4)
    Member.objects.filter(pk=cast.xiaomei.id).update(birthday=born)
    at = dt.datetime(2026, 11, 29, 1, 0, tzinfo=dt.UTC)  # nine in the morning in Shanghai
    trigger = {"on": "birthday", "with": {"days": 3, "at": "10:00"}}
    row = start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}}, at=at)
    assert journeys.look_for_dates(at=at + 2 * HOUR) == 0
    # The workers were away on the day itself, the first of December.
    later = dt.datetime(2026, 12, 2, 3, 0, tzinfo=dt.UTC)
    assert journeys.look_for_dates(at=later) == 1
    assert journeys.look_for_dates(at=later) == 0
    row.refresh_from_db()
    assert row.looked_on == dt.date(2026, 12, 2)
    assert Enrolment.objects.get().entry_key == "birthday:2026"


def test_a_journey_that_is_started_in_the_evening_looks_from_the_next_day_on(cast: Cast) -> None:
    at = dt.datetime(2026, 12, 1, 12, 0, tzinfo=dt.UTC)
    Member.objects.filter(pk=cast.xiaomei.id).update(birthday=dt.date(1990, 12, 1))
    trigger = {"on": "birthday", "with": {"days": 0, "at": "10:00"}}
    start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}}, at=at)
    assert journeys.look_for_dates(at=at + HOUR) == 0


def test_daily_rules_let_in_whom_they_are_true_of(cast: Cast) -> None:
    at = dt.datetime(2026, 12, 1, 1, 0, tzinfo=dt.UTC)
    follow(cast.xiaoli.id, False)
    trigger = {"on": "daily", "with": {"rule": {"is": "members.following"}, "at": "10:00"}}
    start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}}, at=at)
    assert journeys.look_for_dates(at=at + 2 * HOUR) == Member.objects.filter(is_following=True).count()
    assert journeys.look_for_dates(at=at + 2 * DAY) == 0  # once for each member


def test_moments_of_every_app_are_noted_for_who_listens(cast: Cast) -> None:
    watch = apps.get_model("campaigns", "JourneyWatch")
    watch.objects.bulk_create(
        [
            watch(event="joined", family="joined"),
            watch(event="coupon_received", family="coupons"),
            watch(event="bound", family="bindings"),
        ]
    )
    batch_id = coupon_kit.make_batch(5)
    coupon_kit.claim(batch_id, cast.xiaomei.id)
    Member.objects.filter(pk=cast.xiaoli.id).update(stage="member")
    member_services.register_member(
        name="新人", phone="13900001111", source="pos", actor=Actor.system("till")
    )
    heard = sorted(JourneyMoment.objects.values_list("event", flat=True))
    assert heard == ["coupon_received", "joined", "joined"]


def test_names_are_one_each(cast: Cast) -> None:
    start(definition({"a": points(1)}))
    with pytest.raises(Exception, match="名称"):
        start(definition({"a": points(1)}))
    assert Journey.objects.count() == 1
