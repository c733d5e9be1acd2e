"""The member's page a tab at a time: what stands where, how little it asks, and that strangers see nothing."""

import datetime as dt
from typing import Any

import pytest

from assistant import phrases
from core import clock
from core.actor import Actor
from guides import services as guide_services
from members import selectors, services
from members.contracts import TierTerms
from sales.models import Category
from tests.cast import Cast
from tests.sales.kit import key_of, order, tell

pytestmark = pytest.mark.django_db

STAFF = Actor.system("test")
HTMX = {"HX-Request": "true", "HX-Target": "member-part"}
TABS = ["portrait", "points", "dealings", "notes"]


def url(cast: Cast, tab: str = "") -> str:
    return f"/a/members/{cast.xiaomei.public_id}/" + (f"?tab={tab}" if tab else "")


def credit(member_id: int, points: int, key: str) -> None:
    services.credit_points(member_id=member_id, points=points, source_key=key, reason="生日礼", actor=STAFF)


def fill(cast: Cast) -> None:
    """A member with something in every part."""
    for number in range(25):
        credit(cast.xiaomei.id, 10, f"k{number}")
    guide_services.add_note(guide_id=cast.lina.id, public_id=cast.xiaomei.public_id, text="记得", actor=STAFF)
    make_ladder()
    services.record_activity(
        member_id=cast.xiaomei.id, day=clock.business_day(clock.now()), spend_fen=68_000, order_count=2,
        growth=0, source_key="order:1", actor=STAFF,
    )  # fmt: skip


def make_ladder() -> None:
    silver = TierTerms(name="银卡", rank=1, mode="any", spend_fen=50_000)
    gold = TierTerms(name="金卡", rank=2, mode="any", spend_fen=100_000, order_count=5)
    for terms in (silver, gold):
        services.create_tier(terms=terms, actor=STAFF)


@pytest.mark.parametrize("tab", ["", *TABS, "nonsense"])
def test_every_tab_costs_few_queries_as_a_page_and_as_a_part(
    cast: Cast, log_in: Any, tab: str, django_assert_max_num_queries: Any
) -> None:
    fill(cast)
    client = log_in(cast.lina)
    with django_assert_max_num_queries(12):
        page = client.get(url(cast, tab))
    with django_assert_max_num_queries(12):
        part = client.get(url(cast, tab), headers=HTMX)
    assert (page.status_code, part.status_code) == (200, 200)
    opened = page.context["page"].opened
    assert [one.key for one in opened.tabs if one.is_on] == [tab if tab in TABS else "portrait"]
    assert b"<html" in page.content
    assert b"<html" not in part.content


def test_the_head_names_her_tier_and_the_portrait_what_the_next_one_needs(cast: Cast, log_in: Any) -> None:
    fill(cast)
    page = log_in(cast.lina).get(url(cast)).context["page"]
    assert page.head.tier_name == "银卡"
    assert page.opened.part.tier.next_name == "金卡"
    assert [(goal.have, goal.need, goal.is_reached) for goal in page.opened.part.tier.goals] == [
        (68_000, 100_000, False),
        (2, 5, False),
    ]
    assert "¥320" in page.opened.part.tier.goals[0].text


def test_the_portrait_says_when_what_and_how_much_she_buys(
    cast: Cast, log_in: Any, django_assert_max_num_queries: Any
) -> None:
    client = log_in(cast.lina)
    assert "还没有买过" in client.get(url(cast)).content.decode()
    now = clock.now()
    tell(
        *(
            order(f"O{days}", member=key_of(cast.xiaomei), sold_at=now - dt.timedelta(days=days))
            for days in (80, 110, 140, 500)
        )
    )
    Category.objects.filter(code="tops").update(name="上装")
    with django_assert_max_num_queries(12):
        page = client.get(url(cast))
    habits = page.context["page"].opened.part.habits
    told = dict(habits.lines)
    assert (habits.group, habits.tags) == ("一般价值客户", ("沉睡 1 个月", "潜力（1 到 3 个月）"))
    assert habits.warning == "30 天内不来，会从「一般价值客户」降到「一般保持客户」"
    assert habits.moved == "上月末还没有客群"
    assert told["最近消费"].endswith("，80 天前")
    assert (told["近 12 个月"], told["累计"], told["客单价"]) == ("3 单 · ¥300", "4 单 · ¥400", "¥100")
    assert (told["价格带"], told["偏好类目"], told["通常间隔"]) == (
        "每件 ¥100 到 ¥300",
        "上装",
        "30 天买一次",
    )
    assert told["预计下次"].endswith("，过了 50 天")


def test_a_chain_without_tiers_shows_none(cast: Cast, log_in: Any) -> None:
    page = log_in(cast.lina).get(url(cast)).context["page"]
    assert (page.head.tier_name, page.opened.part.tier) == ("", None)


def test_the_ledger_comes_in_stretches_to_its_end(cast: Cast, log_in: Any) -> None:
    fill(cast)
    client = log_in(cast.lina)
    ledger = client.get(url(cast, "points")).context["page"].opened.part.ledger
    more = client.get(f"/a/members/{cast.xiaomei.public_id}/points/rows/?cursor={ledger.next_cursor}")
    assert (len(ledger.rows), len(more.context["page"].rows)) == (20, 5)
    assert more.context["page"].next_cursor is None


def test_the_points_tab_says_what_she_has_and_what_is_frozen(cast: Cast, log_in: Any) -> None:
    credit(cast.xiaomei.id, 1_500, "gift")
    services.freeze_points(member_id=cast.xiaomei.id, points=200, source_key="order:9", actor=STAFF)
    text = log_in(cast.lina).get(url(cast, "points")).content.decode()
    assert "1,300" in text
    assert "另有 200 分冻结中" in text


@pytest.mark.parametrize("tab", TABS)
def test_a_stranger_sees_no_tab_of_hers(cast: Cast, log_in: Any, tab: str) -> None:
    client = log_in(cast.chenjing)
    foreign = client.get(url(cast, tab), headers=HTMX)
    unknown = client.get(f"/a/members/2222222222222222/?tab={tab}", headers=HTMX)
    assert (foreign.status_code, foreign.content) == (unknown.status_code, unknown.content) == (404, b"")
    rows = client.get(f"/a/members/{cast.xiaomei.public_id}/points/rows/?cursor=9")
    assert rows.status_code == 404


def test_a_cursor_that_is_none_is_refused(cast: Cast, log_in: Any) -> None:
    answer = log_in(cast.lina).get(f"/a/members/{cast.xiaomei.public_id}/points/rows/?cursor=x")
    assert (answer.status_code, answer["X-Refusal"]) == (400, "core.invalid_input")


@pytest.mark.parametrize(
    ("fen", "words"),
    [
        (0, "¥0"),
        (5, "¥0.05"),
        (128_050, "¥1,280.50"),
        (32_000, "¥320"),
        (1_280_000, "¥1.28万"),
        (-50, "-¥0.50"),
    ],
)
def test_money_is_said_as_people_say_it(fen: int, words: str) -> None:
    assert phrases.say_money(fen) == words


def test_the_points_summary_asks_three_times_at_most(cast: Cast, django_assert_max_num_queries: Any) -> None:
    fill(cast)
    with django_assert_max_num_queries(3):
        assert selectors.get_points_summary(cast.xiaomei.id).balance == 250
