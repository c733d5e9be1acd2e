"""A cell of the nine numbers as a segment: the members whom the board lists, and they follow what its fold finds. So do those
who opened what a campaign led to."""

import datetime as dt
import itertools
from typing import Any, get_args

import pytest
import time_machine
from django.db import connection

from campaigns import services
from campaigns.errors import RuleUnfit
from campaigns.models import CampaignMember, Segment, SegmentMember, SegmentTouch
from campaigns.selectors import segments
from campaigns.selectors.campaign_clicks import click_token
from campaigns.services.running.clicks import note_click
from core.clock import SHANGHAI
from members import services as member_services
from sales import selectors
from sales.contracts.nine import STOODS, NineScopeName
from sales.models import MemberDay, NineTotal
from tests.campaigns.run_kit import launch, listed, make_campaign
from tests.cast import DIRECTOR, Cast
from tests.sales.kit import TILL, back, key_of, line, order, tell
from tests.sales.nine_kit import PERIODS, fold, look, noon, scan

pytestmark = pytest.mark.django_db
TODAY = dt.date(2026, 11, 28)
NOVEMBER = {"from": "2026-11-01", "until": "2026-11-30"}


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(noon(TODAY), tick=False):
        yield


def sell(number: str, member: Any, day: dt.date, fen: int = 10_000, **other: Any) -> None:
    sold_at = dt.datetime.combine(day, dt.time(12), SHANGHAI)
    tell(order(number, line("A1", fen), member=key_of(member), sold_at=sold_at, serving_guide="", **other))


@pytest.fixture
def came(cast: Cast) -> Cast:
    """小美 bought in T01 three times in November, once all of it back; 小丽 slept since August and scanned in T02."""
    sell("O1", cast.xiaomei, TODAY - dt.timedelta(days=20))
    sell("O2", cast.xiaomei, TODAY - dt.timedelta(days=3))
    sell("O3", cast.xiaomei, TODAY)
    tell(back("R1", order_no="O1"))
    sell("O4", cast.xiaoli, dt.date(2026, 8, 1), store_code="T02")
    scan(cast.xiaoli.id, cast.other_store.id, noon(TODAY - dt.timedelta(days=1)), "s1")
    look(cast.xiaomei.id, noon(TODAY - dt.timedelta(days=2)), 1)
    fold()
    return cast


def rule_of(**values: Any) -> dict[str, Any]:
    return {"all": [{"is": "sales.came", "with": {"when": NOVEMBER} | values}]}


def found(rule: Any) -> set[int]:
    wanted = segments.members_sql(segments.read_rule(rule))
    with connection.cursor() as cursor:
        cursor.execute(wanted.text, wanted.params)
        return {member_id for (member_id,) in cursor.fetchall()}


def make(rule: Any) -> Segment:
    public_id = services.create_segment(name="来过的人", kind="living", rule=rule, actor=DIRECTOR)
    services.work_segments()
    Segment.objects.update(due_at=None)
    return Segment.objects.get(public_id=public_id)


def kept(row: Segment) -> set[int]:
    return set(SegmentMember.objects.filter(segment=row).values_list("member_id", flat=True))


def test_a_cell_as_a_segment_is_whom_the_board_lists_and_as_many_as_it_counts(came: Cast) -> None:
    places: dict[str, list[tuple[int, dict[str, Any]]]] = {
        "chain": [(0, {})], "dealer": [],
        "region": [(one.id, {"regions": [one.id]}) for one in (came.root, came.east, came.south)],
        "store": [(came.store.id, {"stores": ["T01"]}), (came.other_store.id, {"stores": ["T02"]})],
        "guide": [(came.lina.id, {"guides": ["T001"]})],
    }  # fmt: skip
    assert set(places) == set(get_args(NineScopeName))
    sizes = []
    for scope, period in itertools.product(get_args(NineScopeName), PERIODS):
        span = selectors.span_of(period, TODAY)
        when = {
            "from": span.starts_on.isoformat(),
            "until": (span.ends_on - dt.timedelta(days=1)).isoformat(),
        }
        for (ref, place), stood, bought in itertools.product(places[scope], (*STOODS, None), (False, True)):
            values = place | ({"stood": [stood]} if stood else {}) | ({"did": "bought"} if bought else {})
            listed = selectors.list_nine_members(
                scope=scope, ref=ref, span=span, stood=stood, has_bought=bought, among=None
            )
            ids = {row["member_id"] for row in listed}
            assert found(rule_of(**values, when=when)) == ids, (scope, ref, period, stood, bought)
            if stood and not bought:
                total = NineTotal.objects.filter(
                    scope=scope, ref=ref, period=period, starts_on=span.starts_on, stood=stood
                ).first()
                assert (total.came_count if total else 0) == len(ids)
            sizes.append(len(ids))
    assert {0, 1, 2} <= set(sizes)


def test_several_standings_and_places_are_any_of_them(came: Cast) -> None:
    both = {came.xiaomei.id, came.xiaoli.id}
    assert found(rule_of(stood=["new", "dormant"])) == both
    assert found(rule_of(stores=["T01", "T02"])) == both
    assert found(rule_of(stores=["T02"], guides=["T001"])) == both
    assert found(rule_of(stores=["T01"], did="bought", stood=["dormant"])) == set()
    assert found(rule_of(when={"last_days": 1})) == {came.xiaomei.id}


def test_why_she_is_in_says_how_often_she_came_and_how_she_stood(came: Cast) -> None:
    tree = segments.read_rule(rule_of(stores=["T02"]))
    verdict = segments.explain_member(tree, came.xiaoli.id)
    assert verdict is not None
    [part] = verdict.parts
    assert (part.is_true, part.value) == (True, "来过 1 天，最近 2026-11-27，期初是沉睡客")
    other = segments.explain_member(tree, came.xiaomei.id)
    assert other is not None
    assert (other.parts[0].is_true, other.parts[0].value) == (False, "")


def test_a_living_segment_follows_the_fold_to_a_sale_a_return_a_merge_and_an_erasure(came: Cast) -> None:
    row = make(rule_of(did="bought"))
    assert kept(row) == {came.xiaomei.id}
    sell("O5", came.xiaoli, TODAY, store_code="T02")
    fold()
    services.work_segments()
    assert kept(row) == {came.xiaomei.id, came.xiaoli.id}
    tell(back("R5", order_no="O5"))
    fold()
    services.work_segments()
    assert kept(row) == {came.xiaomei.id}
    member_services.merge_members(
        first_id=came.xiaomei.id, second_id=came.xiaoli.id, reason="同一个人", actor=TILL
    )
    fold()
    services.work_segments()
    assert kept(row) == found(rule_of(did="bought"))
    [left] = kept(row)
    member_services.erase_member(member_id=left, reason="own_wish", actor=DIRECTOR)
    services.work_segments()
    assert kept(row) == set()
    assert not MemberDay.objects.exists()


def test_nobody_is_noted_while_no_segment_asks_for_visits(came: Cast) -> None:
    make({"all": [{"is": "members.following"}]})
    sell("O6", came.xiaoli, TODAY)
    fold()
    assert not SegmentTouch.objects.filter(fact="visits").exists()


@pytest.mark.parametrize(
    ("values", "path", "code"),
    [
        ({"when": {"until": "2026-11-30"}}, "/when/from", "missing_field"),
        ({"when": {"before_days": 3}}, "/when/before_days", "unknown_field"),
        ({"when": {"last_days": "30"}}, "/when/last_days", "not_a_number"),
        ({"stood": ["asleep"]}, "/stood/0", "unknown_choice"),
        ({"did": ["bought"]}, "/did", "unknown_choice"),
        ({"stores": ["T99"]}, "/stores/0", "unknown_row"),
        ({"regions": ["1"]}, "/regions/0", "not_a_number"),
    ],
)
def test_what_is_wrong_with_it_is_named(cast: Cast, values: Any, path: str, code: str) -> None:
    with pytest.raises(RuleUnfit) as refused:
        segments.read_rule(rule_of(**values))
    told = {(fault["path"], fault["code"]) for fault in refused.value.details["faults"]}
    assert (f"/all/0/with{path}", code) in told


def test_who_opens_what_a_campaign_led_to_comes_in_and_a_launch_notes_nobody(cast: Cast) -> None:
    row = make({"all": [{"is": "campaigns.clicked"}]})
    assert kept(row) == set()
    run = launch(make_campaign(listed([cast.xiaomei.id, cast.xiaoli.id])))
    assert not SegmentTouch.objects.filter(fact="clicks").exists()
    place = CampaignMember.objects.get(run=run, member_id=cast.xiaomei.id)
    assert note_click(token=click_token(place.pk), member_id=cast.xiaomei.id)
    services.work_segments()
    assert kept(row) == {cast.xiaomei.id}
    CampaignMember.objects.filter(pk=place.pk).update(member_id=cast.xiaoli.id, run_id=0)
    services.work_segments()
    assert kept(row) == {cast.xiaoli.id}
    CampaignMember.objects.filter(pk=place.pk).delete()
    services.work_segments()
    assert kept(row) == set()
