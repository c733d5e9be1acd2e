"""Each ready-made journey from its own trigger to its end: what really happens to a member begins it, she waits, things are done
for her, and what it hopes for ends it."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from campaigns.contracts.ready_made import READY_MADE
from campaigns.models import Enrolment, Journey, Reach
from campaigns.services import journeys
from campaigns.services.journeys.steps import draws
from core import clock
from core.actor import Actor
from core.codes import new_public_id
from coupons import services as coupon_services
from coupons.models import Coupon
from guides.models import FollowUp
from members import services as member_services
from members.models import Member, PointsEntry
from sales.models import MemberMetrics
from tests.campaigns.journey_kit import BOSS, DAY, HOUR, MINUTE, path, points, run, start, state
from tests.cast import Cast
from tests.coupons import kit as coupon_kit
from tests.members.tiers_kit import make_ladder
from tests.sales.kit import TILL, back, key_of, order, tell

pytestmark = pytest.mark.django_db
Deed = Callable[[Cast], None]


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    """Days of waiting end in the forenoon: what happens to her on a day happens after that, whenever the tests run."""
    with time_machine.travel(clock.day_bounds(clock.today())[0] + 12 * HOUR):
        yield


def switch_on(code: str) -> Journey:
    """As the marketer does: installed, and started."""
    journeys.install_ready_made(actor=BOSS, codes=[code])
    row = Journey.objects.get(made_as=code)
    # Since before the time of day at which it looks for dates, which may be any when the tests run.
    journeys.start_journey(journey_id=row.pk, actor=BOSS, at=clock.now() - 2 * DAY)
    return row


# What happens to 小美, who has a guide -----------------------------------------------------------------------------


def follows(cast: Cast) -> None:
    Member.objects.filter(pk=cast.xiaomei.id).update(is_following=False)
    member_services.register_follower(
        app_id=cast.app_id, openid=cast.xiaomei_openid, actor=Actor.wechat(), at=clock.now()
    )


def joins(cast: Cast) -> None:
    member_services.verify_phone(
        member_id=cast.xiaomei.id, phone="13912345678", how="wechat", actor=Actor.wechat()
    )


def completes(cast: Cast) -> None:
    member_services.change_profile(
        member_id=cast.xiaomei.id, gender="female", birthday=dt.date(1990, 5, 1), actor=Actor.wechat()
    )


def buys(cast: Cast, order_no: str = "O1", **other: Any) -> None:
    tell(order(order_no, **{"member": key_of(cast.xiaomei)} | other))


def joins_and_buys_at_once(cast: Cast) -> None:
    joins(cast)
    buys(cast)


def joins_with_all_that_is_known(cast: Cast) -> None:
    completes(cast)
    joins(cast)


def joins_though_all_was_known(cast: Cast) -> None:
    completes(cast)
    Member.objects.filter(pk=cast.xiaomei.id).update(profile_completed_at=clock.now() - 9 * DAY)
    joins(cast)


def buys_again(cast: Cast) -> None:
    buys(cast, "O2")


def brings_back(cast: Cast) -> None:
    tell(back())


def bought_long_ago(days: int) -> Deed:
    def deed(cast: Cast) -> None:
        buys(cast, "O0", sold_at=clock.now() - days * DAY)
        assert MemberMetrics.objects.get(member_id=cast.xiaomei.id).last_on is not None

    return deed


def is_born_in_three_days(cast: Cast) -> None:
    born = clock.business_day(clock.now()) + 3 * DAY
    birthday = dt.date(1992, born.month, born.day)
    Member.objects.filter(pk=cast.xiaomei.id).update(birthday=birthday, stage="member")


def rises(cast: Cast, ago: int = 0) -> None:
    make_ladder()
    joins(cast)
    at = clock.now() - ago * DAY
    member_services.record_activity(
        member_id=cast.xiaomei.id, day=clock.business_day(at), spend_fen=200_000, order_count=1, growth=0,
        source_key="t", actor=TILL, at=at,
    )  # fmt: skip


def nears_the_end_of_her_tier(cast: Cast) -> None:
    rises(cast, ago=360)
    assert member_services.announce_tiers_at_risk(actor=TILL) == 1


def has_a_coupon_of_three_days(cast: Cast) -> None:
    template = coupon_kit.make_template(validity="from_today", valid_days=4)
    coupon_kit.claim(coupon_kit.make_batch(5, template_id=template), cast.xiaomei.id)


def redeems(cast: Cast) -> None:
    coupon = Coupon.objects.get(member_id=cast.xiaomei.id)
    coupon_services.redeem_coupon(
        code=coupon.code, request_id="r1", order=coupon_kit.order(cast.store.id), actor=TILL
    )


# What comes of it ------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Life:
    """What begins it; what happens after so many days; and then the steps with their ways, her last state, the messages, points
    and tasks that she and her guide had of it."""

    begins: Deed
    happens: dict[int, Deed]
    path: str
    ends: str
    messages: int
    points: int = 0
    tasks: int = 0


def nothing(_cast: Cast) -> None: ...


LIVES: list[tuple[str, Life]] = [
    ("welcome", Life(follows, {}, "morning+ invite+ joins- again+", "done", 2)),
    ("welcome", Life(follows, {3: joins}, "morning+ invite+ joins!", "achieved", 1)),
    ("join_gift", Life(joins, {}, "gift+ tell+ bought- buys- guide+", "done", 1, 200, 1)),
    ("join_gift", Life(joins, {2: buys}, "gift+ tell+ bought- buys+", "done", 1, 200)),
    ("join_gift", Life(joins_and_buys_at_once, {}, "gift+ tell+ bought+", "done", 1, 200)),
    ("profile", Life(joins, {}, "early- whole- ask+ done-", "done", 1)),
    ("profile", Life(joins, {8: completes}, "early- whole- ask+ done+ thanks+", "done", 2)),
    ("profile", Life(joins, {1: completes}, "early+ thanks+", "done", 1)),
    ("profile", Life(joins_with_all_that_is_known, {}, "early+ thanks+", "done", 1)),
    ("profile", Life(joins_though_all_was_known, {}, "early- whole+", "done", 0)),
    ("after_purchase", Life(buys, {}, "days+ care+ week+ review+", "done", 2)),
    ("after_purchase", Life(buys, {4: brings_back}, "days+ care+ week!", "exited", 1)),
    ("second_purchase", Life(buys, {}, "days- gift+ tell+ buys- guide+", "done", 1, 100, 1)),
    ("second_purchase", Life(buys, {22: buys_again}, "days- gift+ tell+ buys!", "achieved", 1, 100)),
    ("birthday", Life(is_born_in_three_days, {}, "gift+ tell+ days+ wish+", "done", 2, 300)),
    ("tier_up", Life(rises, {}, "ten+ tell+ guide+", "done", 1, 0, 1)),
    ("tier_at_risk", Life(nears_the_end_of_her_tier, {}, "ten+ tell+ buys- guide+", "done", 1, 0, 1)),
    ("tier_at_risk", Life(nears_the_end_of_her_tier, {3: buys}, "ten+ tell+ buys!", "achieved", 1)),
    ("asleep_1", Life(bought_long_ago(30), {}, "hello+ buys- gift+ tell+", "done", 2, 50)),
    ("asleep_1", Life(bought_long_ago(30), {5: buys}, "hello+ buys!", "achieved", 1)),
    ("asleep_3", Life(bought_long_ago(90), {}, "hello+ buys- guide+", "done", 1, 0, 1)),
    ("asleep_6", Life(bought_long_ago(180), {}, "gift+ hello+ buys- guide+", "done", 1, 200, 1)),
    ("asleep_6", Life(bought_long_ago(180), {2: buys}, "gift+ hello+ buys!", "achieved", 1, 200)),
    ("coupon_expiring", Life(has_a_coupon_of_three_days, {}, "tell+ uses- guide+", "done", 1, 0, 1)),
    ("coupon_expiring", Life(has_a_coupon_of_three_days, {1: redeems}, "tell+ uses!", "achieved", 1)),
]
_WAYS = {"next": "+", "else": "-", "achieved": "!", "exited": "!"}


def test_each_ready_made_journey_has_a_life_here() -> None:
    assert {code for code, _life in LIVES} | {"win_back"} == {made.code for made in READY_MADE}


@pytest.mark.parametrize(("code", "life"), LIVES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_member_goes_from_what_happened_to_her_to_the_end(cast: Cast, code: str, life: Life) -> None:
    row = switch_on(code)
    life.begins(cast)
    for day in range(46):
        life.happens.get(day, nothing)(cast)
        run(day * DAY + MINUTE)
    [mine] = Enrolment.objects.filter(journey=row)
    assert mine.member_id == cast.xiaomei.id
    assert words_of(mine) == life.path
    assert state(mine)[0] == life.ends
    of_it = f"act:j:{mine.pk}:"
    assert Reach.objects.filter(reason_key__startswith=of_it).count() == life.messages
    given = PointsEntry.objects.filter(source_key__startswith=of_it).values_list("delta", flat=True)
    assert sum(given) == life.points
    assert FollowUp.objects.filter(member_id=cast.xiaomei.id).count() == life.tasks


def test_of_those_who_were_lost_one_half_has_a_gift_and_the_other_a_greeting(cast: Cast) -> None:
    """Both 小美 and 小丽 come back; whoever is of which half, each half has its own words and both are thanked."""
    row = switch_on("win_back")
    for number, member in enumerate((cast.xiaomei, cast.xiaoli)):
        buys(cast, f"L{number}", member=key_of(member), sold_at=clock.now() - 365 * DAY)
    # A public id by which the two fall into different halves.
    while draws_of(row, cast.xiaomei.id) == draws_of(row, cast.xiaoli.id):
        Journey.objects.filter(pk=row.pk).update(public_id=new_public_id())
        row.refresh_from_db()
    run(MINUTE)
    run(DAY)
    halves = {"half+ gift+ tell+": 500, "half- hello+": 0}
    rows = {words_of(mine): mine for mine in Enrolment.objects.filter(journey=row)}
    assert set(rows) == set(halves)
    for words, mine in rows.items():
        given = PointsEntry.objects.filter(source_key__startswith=f"act:j:{mine.pk}:")
        assert sum(given.values_list("delta", flat=True)) == halves[words]
        # Each at a step of its own, so that the picture says which half comes back.
        assert state(mine)[:2] == ("waiting", "buys" if halves[words] else "buys_greeted")
    buys(cast, "N1")
    run(2 * DAY)
    run(40 * DAY)
    ends = {mine.member_id: words_of(mine) for mine in rows.values()}
    assert ends[cast.xiaomei.id].endswith("+ thanks+")
    assert ends[cast.xiaoli.id].endswith("-")
    assert Reach.objects.filter(reason_key__startswith="act:j:").count() == 3


def draws_of(row: Journey, member_id: int) -> bool:
    return draws(percent=50, seed=f"{row.public_id}:half", member_id=member_id)


def words_of(mine: Enrolment) -> str:
    return " ".join(f"{step}{_WAYS[way]}" for step, way, _code in path(mine))


def test_a_day_that_is_no_leap_day_is_the_anniversary_of_one(cast: Cast) -> None:
    """小美 joined on the 29th of February, 小丽 on the 28th: both are greeted on the 28th, and on the leap day only 小美."""
    for member, day in ((cast.xiaomei, 29), (cast.xiaoli, 28)):
        joined = dt.datetime(2024, 2, day, 23, 30, tzinfo=clock.SHANGHAI)
        Member.objects.filter(pk=member.id).update(registered_at=joined)
    trigger = {"on": "joined_anniversary", "with": {"days": 1, "at": "10:00"}}
    again = {"re_entry": {"how": "after_days", "days": 300}}
    before = dt.datetime(2027, 2, 27, 9, 0, tzinfo=clock.SHANGHAI)
    start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}} | again, at=before)
    assert journeys.look_for_dates(at=before + 2 * HOUR) == 2
    assert journeys.run_journeys(at=before + 26 * HOUR) == 2, "and nobody else came"
    for day, whose in ((27, cast.xiaoli), (28, cast.xiaomei)):
        journeys.run_journeys(at=dt.datetime(2028, 2, day, 11, 0, tzinfo=clock.SHANGHAI))
        mine = Enrolment.objects.latest("pk")
        assert (mine.member_id, mine.entry_key) == (whose.id, "joined:2028")


def test_points_that_end_soon_let_in_who_has_enough_of_them(cast: Cast) -> None:
    now, last = dt.datetime(2027, 3, 1, 9, 0, tzinfo=clock.SHANGHAI), dt.date(2027, 3, 8)
    for member, count in ((cast.xiaomei, 50), (cast.xiaoli, 49)):
        member_services.credit_points(
            member_id=member.id, points=count, source_key=f"t:{count}", expires_on=last, actor=TILL, at=now
        )
    trigger = {"on": "points_expiring", "with": {"days": 7, "at_least": 50, "at": "10:00"}}
    start({"trigger": trigger, "first": "a", "steps": {"a": points(1)}}, at=now)
    assert journeys.look_for_dates(at=now + 2 * HOUR) == 1
    mine = Enrolment.objects.get()
    assert (mine.member_id, mine.values) == (cast.xiaomei.id, {"day": "3月8日"})
