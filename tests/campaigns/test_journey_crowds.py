"""Journeys with many in them: nobody is kept waiting by a crowd, nothing fills the memory, everybody is done for once."""

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns import services
from campaigns.errors import JourneyNotForHer
from campaigns.models import Enrolment, Journey, JourneyMoment, Segment, SegmentMember
from campaigns.selectors.journeys import journey_numbers
from campaigns.services import journeys
from campaigns.services.journeys import hearing, looking
from campaigns.services.journeys.rows import EACH, claim_due
from core import clock
from core.slots import slot
from members import services as member_services
from members.models import Member, PointsAccount, PointsEntry
from tests.campaigns import every_act
from tests.campaigns.journey_kit import (
    BOSS,
    DAY,
    HOUR,
    MINUTE,
    definition,
    enter,
    points,
    run,
    start,
    state,
    wait,
)
from tests.campaigns.test_journey_faults import crowd
from tests.cast import Cast
from tests.coupons import kit as coupon_kit
from tests.killed_job import killed_in_turn, killed_while_waiting
from tests.threads import at_once, wait_until_somebody_waits

_RUN = "from campaigns.services import journeys; journeys.run_journeys()"
FOLLOWING = {"is": "members.following"}
MORNING = dt.datetime(2026, 12, 1, 1, 0, tzinfo=dt.UTC)  # nine in Shanghai


def daily(rule: Any, name: str = "每天", at: str = "10:00", **other: Any) -> Journey:
    """Began before its time on that morning."""
    trigger = {"on": "daily", "with": {"rule": rule, "at": at}}
    return start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}} | other, name, at=MORNING)


def elsewhere(call: Callable[[], Any]) -> Any:
    """What it answers in a session of its own that waits for nobody's lock."""
    answers: list[Any] = []

    def work() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            answers.append(call())
        except Exception as error:
            answers.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=30)
    [answer] = answers
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_of_each_kind_of_act_everybody_has_one_of_each(cast: Cast) -> None:
    every_act.make(12, cast.lina.id)
    tables = every_act.TABLES
    locks = [f"LOCK TABLE {table} IN SHARE MODE" for table in tables.values()]
    for kind, _killed in zip(tables, killed_in_turn(_RUN, locks=locks), strict=True):
        counts = list(every_act.written().values())
        at = list(tables).index(kind)
        assert counts == [12] * at + [0] * (len(counts) - at), kind
        assert run() == 0, "in the hand of the dead"
        Enrolment.objects.update(leased_until=clock.now() - MINUTE)
    run()
    every_act.assert_each_once()


@pytest.mark.django_db(transaction=True)
def test_members_merged_and_erased_while_runners_are_at_them_have_what_is_theirs_once(cast: Cast) -> None:
    row = start(definition({"a": points(1, following="b"), "b": points(10)}))
    ids = crowd(row, 60)
    pairs = [(ids[n], ids[n + 20]) for n in range(8)]
    gone = ids[50:55]

    def merge() -> None:
        for she, other in pairs:
            member_services.merge_members(first_id=she, second_id=other, survivor_id=she, actor=BOSS)

    def erase() -> None:
        for pk in gone:
            member_services.erase_member(member_id=pk, reason="staff", actor=BOSS)

    answers = at_once([journeys.run_journeys, journeys.run_journeys, merge, erase])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    run(HOUR)
    assert not Enrolment.objects.filter(state="waiting").exists()
    keys = list(PointsEntry.objects.filter(kind="earn").values_list("source_key", flat=True))
    assert len(keys) == len(set(keys))
    untouched = [pk for pk in ids if pk not in gone and pk not in {one for pair in pairs for one in pair}]
    for pk in untouched:
        assert PointsAccount.objects.get(member_id=pk).balance == 11
    for she, _other in pairs:
        # Her own way went on; the other's was done, ended, or ended half way, each step once.
        assert PointsAccount.objects.get(member_id=she).balance in {11, 12, 22}


@pytest.mark.django_db(transaction=True)
def test_whoever_is_in_a_hand_keeps_nobody_waiting(cast: Cast) -> None:
    """A till, staff, another journey and the API go on while a hand of a crowd is open."""
    many = start(definition({"a": wait(1, "b"), "b": points(1)}))
    ids = crowd(many, 40)
    few = start(definition({"a": points(1)}), "少数")
    [mine] = enter(few, cast.xiaomei.id)
    with transaction.atomic():
        assert len(claim_due(journey_id=many.pk, at=clock.now() + 2 * DAY)) == 40
        elsewhere(lambda: Member.objects.filter(pk=ids[0]).update(is_following=True))
        elsewhere(lambda: journeys.pause_journey(journey_id=many.pk, actor=BOSS))
        elsewhere(lambda: journeys.start_journey(journey_id=many.pk, actor=BOSS))
        elsewhere(lambda: enter(many, cast.xiaoli.id))
        # The few's act; who entered just now is due by then, and has hers.
        assert elsewhere(lambda: run(2 * DAY)) == 1 + 2
    assert state(mine)[0] == "done"


def test_a_crowd_moves_by_hands_and_says_how_many_are_still_due(cast: Cast) -> None:
    many = start(definition({"a": wait(1, "b"), "b": wait(1, "c"), "c": points(1)}))
    crowd(many, EACH + 300)
    few = start(definition({"a": points(1)}), "少数")
    [mine] = enter(few, cast.xiaomei.id)
    later = clock.now() + DAY + MINUTE
    assert journey_numbers([many.pk], at=later)[many.pk].due_count == EACH + 300
    with CaptureQueriesContext(connection) as queries:
        journeys.run_journeys(at=later)
    hands = [row for row in queries if "SKIP LOCKED" in row["sql"] and "campaigns_enrolment " in row["sql"]]
    assert len(hands) >= 3  # the crowd's first, the few's, the crowd's second
    assert state(mine)[0] == "done"
    assert Enrolment.objects.filter(journey=many, step="b", state="waiting").count() == EACH + 300
    assert journey_numbers([many.pk], at=later)[many.pk].due_count == 0


def test_a_day_that_is_everybodys_lets_a_crowd_in_by_slices(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(looking, "AT_ONCE", 40)
    ids = coupon_kit.make_members(130)
    Member.objects.filter(pk__in=ids).update(is_following=True)
    everybody = Member.objects.filter(is_following=True).count()
    row = daily(FOLLOWING)
    with CaptureQueriesContext(connection) as queries:
        assert journeys.look_for_dates(at=MORNING + 2 * HOUR) == everybody
    assert sum("INSERT INTO campaigns_enrolment" in query["sql"] for query in queries) >= 4
    row.refresh_from_db()
    assert row.looked_on == dt.date(2026, 12, 1)
    assert journeys.look_for_dates(at=MORNING + 3 * HOUR) == 0


@pytest.mark.django_db(transaction=True)
def test_a_look_killed_after_its_first_slice_is_finished_and_lets_nobody_in_twice(cast: Cast) -> None:
    ids = coupon_kit.make_members(90)
    Member.objects.filter(pk__in=ids).update(is_following=True)
    row = daily(FOLLOWING, re_entry={"how": "always"})
    look = (
        "from campaigns.services.journeys import looking; looking.AT_ONCE = 30; "
        "from tests.campaigns.test_journey_crowds import MORNING, HOUR; looking.look_for_dates(at=MORNING + 2 * HOUR)"
    )
    last = max(ids)
    # Her row of another journey's making is in the way of the last slice.
    lock = (
        "INSERT INTO campaigns_enrolment (journey_id, version_id, member_id, entry_key, state, step, due_at, waiting_for,"
        " is_woken, heard, values, moved_count, round_count, attempt_count, code, entered_at, lease_holder)"
        " VALUES (%(journey)s, %(version)s, %(member)s, 'x', 'waiting', 'a', now(), '',"
        " false, '{}', '{}', 0, 0, 0, '', now(), '')"
    )
    values = {"journey": row.pk, "version": row.version_id, "member": last}
    with killed_while_waiting(look, lock=lock, values=values):
        pass
    first = Enrolment.objects.count()
    assert 30 <= first < 90 + 2
    row.refresh_from_db()
    assert row.looked_on != dt.date(2026, 12, 1)
    everybody = Member.objects.filter(is_following=True).count()
    assert journeys.look_for_dates(at=MORNING + 2 * HOUR) == everybody - first
    assert Enrolment.objects.count() == everybody
    with slot(kind=looking.LOOKING_SLOT, count=1, first=row.pk) as is_free:
        assert is_free, "the dead one's turn is over"


def test_a_look_that_goes_wrong_says_so_and_keeps_no_other_waiting(cast: Cast, client: Client) -> None:
    bad, good = daily(FOLLOWING, "坏的"), daily({"none": [FOLLOWING]}, "好的")
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.journey_id = {bad.pk} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER poison BEFORE INSERT ON campaigns_enrolment FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse()"
        )
    others = Member.objects.filter(is_following=False).count()
    assert journeys.look_for_dates(at=MORNING + 2 * HOUR) == others
    bad.refresh_from_db()
    good.refresh_from_db()
    assert bad.fault == "error:RaiseException"
    assert (good.fault, good.looked_on) == ("", dt.date(2026, 12, 1))
    client.force_login(cast.head_office)
    text = client.get(reverse("admin:campaigns_journey_change", args=[bad.pk])).content.decode()
    assert "上次按日期找人没有找完：程序出错（" in text
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER poison ON campaigns_enrolment")
    assert journeys.look_for_dates(at=MORNING + 2 * HOUR + MINUTE) == 0, "not at once again"
    assert journeys.look_for_dates(at=MORNING + 3 * HOUR) > 0
    bad.refresh_from_db()
    assert bad.fault == ""


@pytest.mark.django_db(transaction=True)
def test_one_lets_everybody_out_of_an_ended_journey_while_others_pass_by(cast: Cast) -> None:
    row = start(definition({"a": wait(1, "b"), "b": points(1)}))
    crowd(row, 30)
    journeys.end_journey(journey_id=row.pk, actor=BOSS)
    with transaction.atomic():
        Enrolment.objects.filter(journey=row).lock_rows()
        keeper = threading.Thread(target=_keep)
        keeper.start()
        wait_until_somebody_waits()
        assert elsewhere(journeys.finish_ended_journeys) == 0
    keeper.join(timeout=30)
    assert set(Enrolment.objects.values_list("code", flat=True)) == {"journey_ended"}


def _keep() -> None:
    journeys.finish_ended_journeys()
    connection.close()


# A segment as what begins a journey --------------------------------------------------------------------------


def by_segment(rule: Any) -> tuple[Segment, Journey]:
    """A living segment, worked out, and a journey that begins when somebody comes into it and ends when she leaves it."""
    public_id = services.create_segment(name="人群", kind="living", rule=rule, actor=BOSS)
    segment = Segment.objects.get(public_id=public_id)
    services.fill_segment(segment_id=segment.pk)
    steps = {"a": wait(1, "b"), "b": points(1)}
    return segment, start(definition(steps, on=f"in:{public_id}", exits=[{"on": f"out:{public_id}"}]))


def refill(segment: Segment, rule: Any) -> None:
    segment.refresh_from_db()
    services.change_segment(
        public_id=segment.public_id, version=segment.version, name=segment.name, rule=rule, actor=BOSS
    )
    Segment.objects.update(due_at=clock.now())
    services.fill_segment(segment_id=segment.pk)


EVERYBODY = {"any": [FOLLOWING, {"none": [FOLLOWING]}]}
NOBODY = {"all": [FOLLOWING, {"none": [FOLLOWING]}]}


def test_a_segment_of_nobody_begins_nothing_and_one_of_everybody_only_for_who_comes(cast: Cast) -> None:
    segment, row = by_segment(NOBODY)
    run()
    assert not Enrolment.objects.exists()
    refill(segment, EVERYBODY)
    everybody = SegmentMember.objects.filter(segment=segment).count()
    assert everybody == Member.objects.filter(merged_into=None).exclude(stage="erased").count() > 1
    assert JourneyMoment.objects.count() == everybody
    run()
    assert Enrolment.objects.filter(state="waiting", step="a").count() == everybody
    refill(segment, NOBODY)
    run(2 * DAY)
    assert set(Enrolment.objects.values_list("state", flat=True)) == {"exited"}
    assert not PointsEntry.objects.exists()
    assert row.state == "running"


def test_who_is_in_a_segment_of_everybody_already_does_not_enter_and_a_newcomer_does(cast: Cast) -> None:
    by_segment(EVERYBODY)
    run()
    assert not Enrolment.objects.exists()
    [pk] = coupon_kit.make_members(1)
    Segment.objects.update(due_at=None)
    services.work_segments()
    run()
    assert list(Enrolment.objects.values_list("member_id", flat=True)) == [pk]


def test_everybody_coming_at_once_is_heard_in_slices(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(hearing, "AT_ONCE", 25)
    segment, _row = by_segment(NOBODY)
    coupon_kit.make_members(80)
    refill(segment, EVERYBODY)
    everybody = JourneyMoment.objects.count()
    assert everybody > 80
    assert journeys.hear_moments() == 25
    assert Enrolment.objects.count() == 25
    run()
    assert Enrolment.objects.count() == everybody


def test_days_of_nobody_and_of_everybody(cast: Cast) -> None:
    daily(NOBODY, "没有人")
    daily(EVERYBODY, "所有人")
    everybody = Member.objects.filter(merged_into=None).exclude(stage="erased").count()
    assert journeys.look_for_dates(at=MORNING + 2 * HOUR) == everybody
    nobody = start(definition({"a": points(1)}, who=NOBODY), "谁都不让进")
    with pytest.raises(JourneyNotForHer):
        enter(nobody, cast.xiaomei.id)
