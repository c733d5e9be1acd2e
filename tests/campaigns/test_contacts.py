"""The communication matrix: who was sent how much, and what came of it, by hand; of the chain as counted, of stores at once."""

import datetime as dt
import io
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from campaigns.contracts.contacts import ContactTally
from campaigns.models import ContactCell, ContactMonth, InboxMessage, Reach, ReachBar, ReachState
from campaigns.selectors.contacts import get_contact_matrix
from campaigns.services.contacts import count_contacts
from core.clock import SHANGHAI
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
    assert tally("template")["new"] == ContactTally(1, 0, (0, 1, 0, 0), 1, 1, 1)
    assert tally("sms", "marketing")["new"].by_band == (0, 0, 0, 1)
    assert tally("sms", "normal")["new"].by_band == (1, 0, 0, 0)
    assert tally("", "normal")["new"].message_count == 1


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
    builder = client.get(full["url"])
    assert builder.status_code == 200
    assert builder.context["counted"].member_count == 1
    assert client.get(unbought["url"]).context["counted"].member_count == 1
    answered: Any = client.get(EXPORT)
    rows_of_book = list(load_workbook(io.BytesIO(b"".join(answered.streaming_content)))["沟通矩阵"].values)
    assert [row[2:] for row in rows_of_book if row[0] == "未消费"] == [(1, 1, 1, 0, 0, 0, 0, 0, 0)]


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
    assert all(not cell["url"] for row in answer.context["rows"] for cell in row["cells"])


def test_before_anything_was_counted_the_page_says_so(cast: Cast, client: Client) -> None:
    client.force_login(cast.head_office)
    assert "还没有统计" in client.get(MATRIX).content.decode()
    assert "还没有统计" in client.get(MATRIX, {"month": "2026-03"}).content.decode()


def test_a_cells_rule_names_channel_importance_and_month(sent: Cast, client: Client) -> None:
    client.force_login(sent.head_office)
    answer = client.get(MATRIX, {"channel": "sms", "importance": "marketing"})
    [full] = [cell for row in answer.context["rows"] for cell in row["cells"] if cell["count"]]
    rule = client.get(full["url"]).context["tree"]
    assert [part["what"] for part in rule["parts"]] == [
        "sales.rfm_group",
        "sales.life_stage",
        "campaigns.reached",
    ]
    assert "2026-11-30" in full["url"]
