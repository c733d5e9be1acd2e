"""The communication matrix: who was sent how much, and what came of it, by hand; of the chain as counted, of stores at once."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from campaigns import services
from campaigns.contracts.contacts import ContactTally
from campaigns.models import (
    CampaignMember,
    ContactCell,
    ContactMonth,
    InboxMessage,
    Reach,
    ReachBar,
    ReachState,
    SegmentTouch,
)
from campaigns.selectors import segments
from campaigns.selectors.contacts import get_contact_matrix
from campaigns.services.contacts import count_contacts
from core.clock import SHANGHAI
from members.models import ConsentEntry, ConsentKind, ConsentText, Member
from tests.campaigns.test_segment_holdings import living, members_of
from tests.cast import Cast
from tests.sales.kit import key_of, line, order, tell
from tests.sales.nine_kit import fold, noon

TODAY = dt.date(2026, 11, 28)
NOVEMBER, OCTOBER = dt.date(2026, 11, 1), dt.date(2026, 10, 1)
MATRIX, EXPORT = (
    reverse("admin:campaigns_contactmonth_changelist"),
    reverse("admin:campaigns_contacts_export"),
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon() -> Any:
    with time_machine.travel(noon(TODAY), tick=False):
        yield


def send(
    member_id: int,
    at: dt.datetime,
    number: int,
    channel: str = "sms",
    importance: str = "marketing",
    **other: Any,
) -> None:
    values: dict[str, Any] = {
        "reason_key": f"r{member_id}.{number}", "member_id": member_id, "topic": "birthday", "importance": importance,
        "channels": channel, "channel": channel, "state": ReachState.SENT, "queued_at": at, "not_before": at,
        "expires_at": at + dt.timedelta(days=1), "sent_at": at, "finished_at": at,
    }  # fmt: skip
    Reach.objects.create(**(values | other))


@pytest.fixture
def sent(cast: Cast) -> Cast:
    """小美, who bought today, had four texts and a template message in November; 小丽 one, which did not arrive."""
    first = dt.datetime(2026, 11, 1, 0, 0, tzinfo=SHANGHAI)
    for number, at in enumerate([first, noon(TODAY - dt.timedelta(days=5)), noon(TODAY), noon(TODAY)]):
        send(cast.xiaomei.id, at, number)
    send(cast.xiaomei.id, noon(TODAY - dt.timedelta(days=5)), 8, "template", "normal")
    send(cast.xiaomei.id, first - dt.timedelta(seconds=1), 9)  # October
    send(cast.xiaoli.id, noon(TODAY), 0, state=ReachState.FAILED, sent_at=None)
    InboxMessage.objects.create(
        member_id=cast.xiaomei.id, topic="birthday", title="生日", text="…", reason_key="i1", sent_at=noon(TODAY),
        read_at=noon(TODAY),
    )  # fmt: skip
    ReachBar.objects.create(
        member_id=cast.xiaoli.id, account_id=cast.account_id, code="wechat.blocked", barred_at=noon(TODAY)
    )
    tell(order("O1", line("A1", 30_000), member=key_of(cast.xiaomei)))
    fold()
    count_contacts()
    return cast


def tally(channel: str = "", importance: str = "", **other: Any) -> dict[str, ContactTally]:
    """By life stage: 小美 is new, 小丽 has not bought."""
    matrix = get_contact_matrix(NOVEMBER, channel=channel, importance=importance, **other)
    return {stage: one for (_group, stage), one in matrix.tallies.items()}


def test_members_are_counted_by_how_much_they_were_sent(sent: Cast) -> None:
    found = tally()
    assert found["unbought"] == ContactTally(1, 1, (1, 0, 0, 0))
    # Her first message came on the 1st: nothing was bought within a week of it.
    assert found["new"] == ContactTally(1, 0, (0, 0, 0, 1), message_count=5, reader_count=1, buyer_count=0)
    assert tally("template")["new"] == ContactTally(
        1, 0, (0, 1, 0, 0), message_count=1, reader_count=1, buyer_count=1
    )
    assert tally("sms", "marketing")["new"].by_band == (0, 0, 0, 1)
    assert tally("sms", "normal")["new"].by_band == (1, 0, 0, 0)
    assert tally("", "normal")["new"].message_count == 1


def click(sent: Cast, number: int, at: dt.datetime) -> None:
    """小美 opened what one of her messages led to."""
    reach = Reach.objects.get(reason_key=f"r{sent.xiaomei.id}.{number}")
    CampaignMember.objects.create(
        run_id=number, member_id=sent.xiaomei.id, letter="A", state="done", reach_id=reach.pk, clicked_at=at
    )


def test_who_opened_a_page_counts_for_the_message_that_led_to_it(sent: Cast) -> None:
    click(sent, 9, noon(TODAY))  # October's message, opened in November
    count_contacts()
    assert tally()["new"].clicker_count == 0
    click(sent, 2, noon(TODAY))
    click(sent, 3, noon(TODAY))
    count_contacts()
    assert tally()["new"].clicker_count == 1
    assert tally()["new"].message_count == 5, "who opened two pages was sent no more for that"
    assert tally("sms")["new"].clicker_count == 1
    assert tally("template")["new"].clicker_count == 0
    assert tally(store_ids=[sent.store.id])["new"] == tally()["new"]


@pytest.mark.parametrize("way", ["unfollowed", "barred", "withdrew"])
def test_who_turns_away_after_a_message_has_left(sent: Cast, way: str) -> None:
    # The first text came on the 1st and the last on the 28th, the only template message on the 23rd.
    days = {
        dt.date(2026, 10, 31): set(), dt.date(2026, 11, 1): {"", "sms"}, dt.date(2026, 11, 22): {"", "sms"},
        dt.date(2026, 11, 23): {"", "sms", "template"}, dt.date(2026, 11, 30): {"", "sms", "template"},
        dt.date(2026, 12, 1): {"", "sms"}, dt.date(2026, 12, 5): {"", "sms"}, dt.date(2026, 12, 6): set(),
    }  # fmt: skip
    ways = {"unfollowed": unfollow, "barred": bar, "withdrew": withdraw}
    for day, channels in days.items():
        ways[way](sent, noon(day))
        count_contacts()
        told = {channel for channel in ("", "sms", "template") if tally(channel)["new"].leaver_count}
        assert told == channels, day
        assert {channel for channel in ("", "sms", "template") if turned_away(channel, way)} == channels, day
        others = ways.keys() - {way}
        assert not turned_away("", *others), "she turned away one way only"


def turned_away(channel: str, *only: str) -> int:
    """How many did, by the condition of segments."""
    values: dict[str, Any] = {"when": {"from": "2026-11-01", "until": "2026-11-30"}, "ways": sorted(only)}
    values |= {"channels": [channel]} if channel else {}
    count = segments.count_members(segments.read_rule({"is": "campaigns.turned_away", "with": values}))
    assert count.member_count is not None
    return count.member_count


def test_who_turned_away_is_a_living_segment_that_follows_what_she_does(sent: Cast) -> None:
    rule = {"all": [{"is": "campaigns.turned_away", "with": {"when": {"last_days": 40}}}]}
    row = living("收到后退出", rule)
    assert set(row.facts) == {"reaches", "profile", "bars", "consents"}
    she = sent.xiaomei.id
    steps: list[tuple[Callable[[], Any], bool]] = [
        (lambda: unfollow(sent, noon(TODAY)), True),
        (
            lambda: unfollow(sent, noon(dt.date(2026, 9, 1))),
            False,
        ),  # the same again, told with another instant
        (lambda: bar(sent, noon(TODAY)), True),
        (lambda: ReachBar.objects.filter(member_id=she).delete(), False),
        (lambda: withdraw(sent, noon(TODAY)), True),
        (lambda: Reach.objects.filter(member_id=she).update(state=ReachState.FAILED, sent_at=None), False),
    ]
    for step, is_in in steps:
        step()
        services.work_segments()
        assert members_of(row) == ({she} if is_in else set())


def test_agreeing_to_something_notes_nobody_for_who_turned_away(sent: Cast) -> None:
    living("收到后退出", {"all": [{"is": "campaigns.turned_away"}]})
    withdraw(sent, noon(TODAY))
    services.work_segments()
    ConsentEntry.objects.all().delete()
    SegmentTouch.objects.all().delete()
    kind = ConsentKind.objects.get(code="marketing")
    ConsentEntry.objects.create(
        member_id=sent.xiaomei.id, kind=kind, text=ConsentText.objects.get(kind=kind), action="agreed", door="mini_program",
        at=noon(TODAY), actor="she", text_digest="x",
    )  # fmt: skip
    assert not SegmentTouch.objects.exists()


def test_why_she_turned_away_is_said_with_its_day(sent: Cast) -> None:
    unfollow(sent, noon(TODAY))
    withdraw(sent, noon(TODAY))
    tree = segments.read_rule({"all": [{"is": "campaigns.turned_away"}]})
    verdict = segments.explain_member(tree, sent.xiaomei.id)
    assert verdict is not None
    [part] = verdict.parts
    assert (part.is_true, part.value) == (True, "取消关注 2026-11-28、撤回营销授权或回复退订 2026-11-28")
    other = segments.explain_member(tree, sent.xiaoli.id)
    assert other is not None
    assert (other.parts[0].is_true, other.parts[0].value) == (False, ""), "she had no message"


def unfollow(sent: Cast, at: dt.datetime) -> None:
    Member.objects.filter(pk=sent.xiaomei.id).update(is_following=False, follow_changed_at=at)


def bar(sent: Cast, at: dt.datetime) -> None:
    ReachBar.objects.update_or_create(
        member_id=sent.xiaomei.id,
        account_id=sent.account_id,
        defaults={"code": "wechat.blocked", "barred_at": at},
    )


def withdraw(sent: Cast, at: dt.datetime) -> None:
    """She takes her word on marketing back."""
    kind, _is_new = ConsentKind.objects.get_or_create(code="marketing", defaults={"title": "营销"})
    text, _is_new = ConsentText.objects.get_or_create(
        kind=kind, version=1, defaults={"title": "营销", "body": "…", "created_at": at, "published_at": at}
    )
    ConsentEntry.objects.update_or_create(
        member_id=sent.xiaomei.id,
        kind=kind,
        text=text,
        defaults={
            "action": "withdrawn",
            "door": "mini_program",
            "at": at,
            "actor": "she",
            "text_digest": "x",
        },
    )


def test_who_follows_again_or_agrees_to_something_else_has_not_left(sent: Cast) -> None:
    unfollow(sent, noon(TODAY))
    Member.objects.update(is_following=True)
    withdraw(sent, noon(TODAY))
    ConsentEntry.objects.update(action="agreed")
    count_contacts()
    assert tally()["new"].leaver_count == 0


def test_a_month_ends_at_midnight_in_shanghai_and_is_settled_on_the_ninth(sent: Cast) -> None:
    assert get_contact_matrix(OCTOBER).counted_at is None
    count_contacts(at=noon(dt.date(2026, 11, 9)))
    october = get_contact_matrix(OCTOBER)
    assert sum(one.message_count for one in october.tallies.values()) == 1
    counted = ContactMonth.objects.get(month_on=OCTOBER).counted_at
    count_contacts(at=noon(dt.date(2026, 11, 10)))
    assert ContactMonth.objects.get(month_on=OCTOBER).counted_at == counted


def test_counting_again_replaces_what_was_counted(sent: Cast) -> None:
    cells = ContactCell.objects.count()
    Reach.objects.filter(channel="template").delete()
    assert count_contacts() < cells
    assert tally()["new"].message_count == 4
    assert tally("template")["new"].by_band == (1, 0, 0, 0)


def test_stores_see_the_members_of_their_guides_as_they_are_now(sent: Cast) -> None:
    assert set(tally(store_ids=[sent.store.id])) == {"new"}
    assert tally(store_ids=[sent.store.id])["new"] == tally()["new"]
    assert tally(store_ids=[sent.other_store.id]) == {}


def test_head_office_sees_the_matrix_and_opens_a_cell_as_a_segment(sent: Cast, client: Client) -> None:
    client.force_login(sent.head_office)
    answer = client.get(MATRIX)
    rows = {row["name"]: row for row in answer.context["rows"]}
    unbought = rows["未消费"]["whole"]
    assert (unbought["count"], unbought["verdict"], unbought["barred"]) == ("1", "under", "1")
    [full] = [cell for row in answer.context["rows"] for cell in row["cells"] if cell["count"]]
    assert (full["mean"], full["verdict"], full["read"]) == ("5.0", "over", "100.0%")
    people = client.get(full["url"])
    assert [line[3] for line in people.context["lines"]] == [sent.xiaomei.code]
    for cell in (full, unbought):
        assert client.get(cell["url"]).context["counted"].member_count == 1
        builder = client.get(cell["keep_url"])
        assert builder.context["counted"].member_count == 1
        assert builder.context["values"]["name"].startswith("2026-11 ")
    assert full["left_url"] == ""
    unfollow(sent, noon(TODAY))
    count_contacts()
    [full] = [cell for row in client.get(MATRIX).context["rows"] for cell in row["cells"] if cell["count"]]
    assert full["left"] == "1"
    assert [line[3] for line in client.get(full["left_url"]).context["lines"]] == [sent.xiaomei.code]
    answered: Any = client.get(EXPORT)
    rows_of_book = list(load_workbook(io.BytesIO(b"".join(answered.streaming_content)))["沟通矩阵"].values)
    assert [row[2:] for row in rows_of_book if row[0] == "未消费"] == [(1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)]


@pytest.mark.parametrize("rule", ["", "{", '{"all": []}', '{"all": [{"is": "no.such"}]}', "[" * 300, "\0"])
def test_a_link_with_a_rule_that_does_not_read_opens_an_empty_builder(
    cast: Cast, client: Client, rule: str
) -> None:
    client.force_login(cast.head_office)
    answer = client.get(reverse("admin:campaigns_segment_add"), {"rule": rule})
    assert answer.status_code == 200
    assert answer.context["tree"]["parts"] == []


def test_an_account_of_a_region_sees_its_members_and_nonsense_is_the_usual(
    sent: Cast, client: Client
) -> None:
    client.force_login(sent.regional)
    assert client.get(MATRIX).status_code == 403
    sent.regional.user_permissions.add(Permission.objects.get(codename="view_contactmonth"))
    client.force_login(sent.regional)
    answer = client.get(MATRIX, {"month": "1999-13", "channel": "'; --", "importance": "\0"})
    assert next(number for _title, number in answer.context["tiles"]) == "1"
    assert answer.context["is_part"]
    assert not any(cell["url"] or cell["keep_url"] for row in answer.context["rows"] for cell in row["cells"])
    # Who may make segments and not see their members goes straight to the builder.
    sent.regional.user_permissions.add(
        *Permission.objects.filter(codename__in=["add_segment", "view_segment"])
    )
    client.force_login(sent.regional)
    [full] = [cell for row in client.get(MATRIX).context["rows"] for cell in row["cells"] if cell["count"]]
    assert (client.get(full["url"]).context["counted"].member_count, full["keep_url"]) == (1, "")


def test_before_anything_was_counted_the_page_says_so(cast: Cast, client: Client) -> None:
    client.force_login(cast.head_office)
    assert "还没有统计" in client.get(MATRIX).content.decode()
    assert "还没有统计" in client.get(MATRIX, {"month": "2026-03"}).content.decode()


def test_a_cells_rule_names_channel_importance_and_month(sent: Cast, client: Client) -> None:
    client.force_login(sent.head_office)
    answer = client.get(MATRIX, {"channel": "sms", "importance": "marketing"})
    [full] = [cell for row in answer.context["rows"] for cell in row["cells"] if cell["count"]]
    rule = client.get(full["keep_url"]).context["tree"]
    assert [part["what"] for part in rule["parts"]] == [
        "sales.rfm_group",
        "sales.life_stage",
        "campaigns.reached",
    ]
    assert "2026-11-30" in full["url"]
