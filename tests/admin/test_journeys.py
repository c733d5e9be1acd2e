"""Journeys in the admin: drawn with numbers, written step by step, switched on and off, and seen by whom they concern."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.admin.journey_form import do
from campaigns.models import Enrolment, Journey, JourneyVersion, WebhookDelivery, WebhookEndpoint
from campaigns.services import journeys
from core.actor import Actor
from core.admin.questions import CONFIRMED
from core.models import AuditEntry
from tests.admin.journey_kit import DRAFT, fill_journeys
from tests.campaigns.journey_kit import definition, points, wait
from tests.cast import Cast


@pytest.fixture
def client(cast: Cast, client: Client) -> Client:
    client.force_login(cast.head_office)
    return client


def page(row: Journey, name: str = "change", *more: Any) -> str:
    return reverse(f"admin:campaigns_journey_{name}", args=[row.pk, *more])


def posted(**other: Any) -> dict[str, Any]:
    """A form of two steps: points, then a wait."""
    return {
        "name": "新旅程", "note": "", "revision": "0", "t.kind": "moment", "t.p.event": "joined", "re.how": "never",
        "rounds": "10", "goal": "bought", "exits": ["unfollowed"],
        "s.0.name": "s1", "s.0.kind": "points", "s.0.p.points": "100", "s.0.p.reason": "入会礼", "s.0.next": "s2",
        "s.1.name": "s2", "s.1.kind": "wait", "s.1.p.amount": "3", "s.1.p.unit": "days",
    } | other  # fmt: skip


def test_the_page_draws_the_graph_with_who_is_where(cast: Cast, client: Client) -> None:
    row = fill_journeys(cast)
    answer = client.get(page(row), {"version": "1", "step": "wait"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "旅程图" in text
    assert "入会旅程" in text
    assert "小美" in text
    picture = answer.context["picture"]
    [there] = [box for box in picture.boxes if box.name == "wait"]
    [gift] = [box for box in picture.boxes if box.name == "gift"]
    assert (there.numbers.here_count, gift.passed_count) == (1, 1)
    assert [way.is_back for way in picture.ways].count(True) == 1
    assert answer.context["numbers"].live_count == 1


def test_a_regional_account_sees_only_its_members(cast: Cast, client: Client) -> None:
    row = fill_journeys(cast)
    enrolment = Enrolment.objects.get()
    other = Enrolment.objects.create(
        journey=row, version=enrolment.version, member_id=cast.xiaoli.id, entry_key="x", step="wait",
        due_at=enrolment.due_at, entered_at=enrolment.entered_at,
    )  # fmt: skip
    from django.contrib.auth.models import Permission

    cast.regional.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_journey", "view_enrolment"])
    )
    client.force_login(cast.regional)
    text = client.get(page(row), {"version": "1", "step": "wait"}).content.decode()
    assert "小美" in text
    assert "小丽" not in text
    ids = [enrolment.pk, other.pk]
    codes = [client.get(reverse("admin:campaigns_enrolment_change", args=[pk])).status_code for pk in ids]
    assert codes[0] == 200
    assert codes[1] != 200
    assert client.post(page(row, "switch", "pause")).status_code == 403
    assert client.get(page(row, "edit")).status_code == 403
    assert client.get(reverse("admin:campaigns_webhookendpoint_changelist")).status_code == 403


def test_a_journey_is_written_step_by_step_and_switched_on(cast: Cast, client: Client) -> None:
    add = reverse("admin:campaigns_journey_add")
    assert client.get(add).status_code == 200
    added = client.post(add, posted(deed="add:s2"))
    assert [card.name for card in added.context["cards"]] == ["s1", "s2", "s3"]
    assert not Journey.objects.exists()
    client.post(add, posted())
    row = Journey.objects.get()
    assert row.draft["steps"]["s1"] == {
        "kind": "points",
        "with": {"points": 100, "reason": "入会礼"},
        "next": "s2",
    }
    assert row.draft["exits"] == [{"on": "unfollowed"}]
    client.post(page(row, "switch", "start"))
    row.refresh_from_db()
    assert (row.state, row.version.number) == ("running", 1)  # type: ignore[union-attr]
    client.post(page(row, "edit"), posted(revision="1", **{"s.0.p.points": "200"}))
    client.post(page(row, "switch", "publish"))
    assert JourneyVersion.objects.count() == 2
    client.post(page(row, "switch", "pause"))
    assert client.get(page(row, "switch", "end")).status_code == 200
    client.post(page(row, "switch", "end"), {"confirmed": "1"})
    actions = set(
        AuditEntry.objects.filter(action__startswith="campaigns.journey").values_list("action", flat=True)
    )
    assert actions >= {
        "campaigns.journey_created", "campaigns.journey_started", "campaigns.journey_changed", "campaigns.journey_published",
        "campaigns.journey_paused",
    }  # fmt: skip


def test_faults_stand_at_their_steps_and_are_kept(cast: Cast, client: Client) -> None:
    add = reverse("admin:campaigns_journey_add")
    answer = client.post(add, posted(**{"s.0.p.points": "many", "deed": "look"}))
    [first, _second] = answer.context["cards"]
    assert first.fields[0].text == "many"
    assert first.fields[0].faults
    client.post(add, posted(**{"s.0.p.points": "many"}))
    row = Journey.objects.get()
    assert client.get(page(row, "edit")).context["cards"][0].fields[0].text == "many"
    own = client.get(page(row, "change")).content.decode()
    assert "第 1 步 · 积分：" in own
    assert "改好标出的地方" in own
    assert page(row, "switch", "start") not in own, "it would be refused"
    client.post(page(row, "switch", "start"))
    row.refresh_from_db()
    assert row.state == "draft"


def test_a_revision_that_is_not_the_last_is_not_lost(cast: Cast, client: Client) -> None:
    row = fill_journeys(cast)
    answer = client.post(page(row, "edit"), posted(revision="7", name="别的"))
    assert "别人刚刚改过" in answer.content.decode()
    row.refresh_from_db()
    assert row.name == "入会旅程"


def test_the_preview_draws_what_the_form_holds(cast: Cast, client: Client) -> None:
    url = reverse("admin:campaigns_journey_preview")
    good = client.post(url, posted())
    assert len(good.context["picture"].boxes) == 3
    bad = client.post(url, posted(**{"s.1.next": "nowhere"}))
    assert bad.context["picture"] is None
    assert client.get(url).status_code == 403


def test_steps_come_and_leave_without_loose_ends() -> None:
    draft = definition({"s1": points(1, following="s2"), "s2": wait(1, "s3"), "s3": points(2)})
    gone = do({**draft, "steps": {name: dict(step) for name, step in draft["steps"].items()}}, "drop:s2")
    assert (list(gone["steps"]), gone["steps"]["s1"]["next"]) == (["s1", "s3"], "s3")
    headless = do(gone, "drop:s1")
    assert headless["first"] == "s3"
    begun = do(headless, "add:")
    assert (begun["first"], begun["steps"]["s4"]["next"]) == ("s4", "s3")
    empty = do({"steps": {}, "first": ""}, "add:")
    assert (empty["first"], empty["steps"]["s1"]["kind"]) == ("s1", "wait")


def test_steps_stand_in_the_order_of_the_way_whatever_order_the_database_keeps(
    cast: Cast, client: Client
) -> None:
    journeys.install_ready_made(actor=Actor.system("desk"))
    row = Journey.objects.get(made_as="win_back")
    answer = client.get(page(row, "edit"))
    cards = answer.context["cards"]
    assert [card.name for card in cards] == [
        "half",
        "gift",
        "tell",
        "buys",
        "hello",
        "buys_greeted",
        "thanks",
    ]
    assert answer.context["first"] == "half"
    numbers = {box.name: box.number for box in answer.context["picture"].boxes}
    assert {card.name: card.number for card in cards} == {key: n for key, n in numbers.items() if key}


def test_staff_read_her_way_and_let_her_out(cast: Cast, client: Client) -> None:
    fill_journeys(cast)
    enrolment = Enrolment.objects.get()
    url = reverse("admin:campaigns_enrolment_change", args=[enrolment.pk])
    assert "送 10 积分" in client.get(url).content.decode()
    leave = reverse("admin:campaigns_enrolment_do", args=[enrolment.pk, "exit"])
    assert "退出后不能撤回" in client.get(leave).content.decode()
    client.post(leave, {CONFIRMED: "1", "reason": " "})
    enrolment.refresh_from_db()
    assert enrolment.state == "waiting"
    client.post(leave, {CONFIRMED: "1", "reason": "她打电话来说的"})
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.code) == ("exited", "staff")
    assert AuditEntry.objects.get(action="campaigns.enrolment_exited").details["reason"] == "她打电话来说的"
    again = client.post(leave, {CONFIRMED: "1", "reason": "再来"})
    assert "会员已经不在旅程里" in again.content.decode()
    retry = reverse("admin:campaigns_enrolment_do", args=[enrolment.pk, "retry"])
    assert client.get(retry).status_code == 403


def test_a_secret_is_shown_once_and_a_failed_telling_goes_again(cast: Cast, client: Client) -> None:
    add = reverse("admin:campaigns_webhookendpoint_add")
    form = {"code": "erp", "name": "ERP", "url": "https://erp.example.com/x", "is_active": "on"}
    shown = client.post(add, form, follow=True).content.decode()
    secret = WebhookEndpoint.objects.get(code="erp").secret
    assert secret in shown
    changed = reverse(
        "admin:campaigns_webhookendpoint_change", args=[WebhookEndpoint.objects.get(code="erp").pk]
    )
    assert secret not in client.get(changed).content.decode()
    assert "https://" in client.post(add, form | {"code": "in", "url": "https://10.0.0.1/"}).content.decode()
    fill_journeys(cast)
    row = WebhookDelivery.objects.get()
    retry = reverse("admin:campaigns_webhookdelivery_retry", args=[row.pk])
    client.post(retry, {"confirmed": "1"})
    row.refresh_from_db()
    assert row.state in {"waiting", "failed"}


def test_the_kits_draft_is_what_it_says() -> None:
    assert set(DRAFT["steps"]) == {"gift", "wait", "thanks"}
