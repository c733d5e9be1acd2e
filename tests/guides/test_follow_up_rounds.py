"""Staff give follow-ups for chosen members to their guides: once for a key, through the reach layer."""

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import reverse

from campaigns import services as campaign_services
from campaigns.models import FrequencyCap, Reach, ReachPolicy
from core import clock
from core.errors import Refusal
from guides import services
from guides.models import FollowUp, FollowUpRound
from guides.services import follow_up_rounds
from guides.services.round_keys import rounds_of
from members import services as member_services
from tests.cast import DIRECTOR, Cast
from tests.members.privacy_kit import withdraw

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_night() -> None:
    ReachPolicy.objects.update_or_create(
        pk=1, defaults={"is_quiet_on": False, "quiet_from": "22:00", "quiet_until": "08:30"}
    )


def everybody() -> Any:
    return apps.get_model("members", "Member").objects.order_by().values("pk")


def give(key: str = "k1", **other: Any) -> FollowUpRound:
    values: dict[str, Any] = {
        "members": everybody(),
        "title": "春装到店",
        "script": "新款到了，周末来试试吗？",
        "due_on": clock.today() + dt.timedelta(days=10),
        "request_key": key,
        "actor": DIRECTOR,
    } | other
    return services.give_follow_ups(**values)


def test_her_guide_has_it_to_do_by_that_day(cast: Cast) -> None:
    plan = services.plan_follow_ups(members=everybody())
    assert (plan.chosen_count, plan.given_count, plan.guide_count, plan.unguided_count) == (2, 1, 1, 1)
    row = give()
    assert (row.chosen_count, row.given_count) == (2, 1)
    campaign_services.send_due_reaches()
    task = FollowUp.objects.get()
    assert (task.member_id, task.guide_id, task.topic, task.title, task.script, task.due_on) == (
        cast.xiaomei.id,
        cast.lina.id,
        "task",
        "春装到店",
        "新款到了，周末来试试吗？",
        clock.today() + dt.timedelta(days=10),
    )


def test_the_same_form_twice_is_once_and_another_content_is_refused(cast: Cast) -> None:
    assert give().pk == give().pk
    assert Reach.objects.count() == 1
    with pytest.raises(Refusal) as refusal:
        give(title="别的")
    assert refusal.value.code == "guides.request_key_reused"
    give("k2")
    assert Reach.objects.count() == 2


def test_who_is_a_member_of_the_shop_only_is_given_to_her_guide_too(cast: Cast) -> None:
    card = member_services.register_member(name="门店会员", phone="13900001111", source="pos", actor=DIRECTOR)
    services.bind_member(member_id=card.id, guide_id=cast.wangfang.id, source="pos", actor=DIRECTOR)
    give()
    campaign_services.send_due_reaches()
    assert FollowUp.objects.get(member_id=card.id).guide_id == cast.wangfang.id


def test_who_withdrew_or_was_erased_is_left_alone(cast: Cast) -> None:
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="scan", actor=DIRECTOR)
    withdraw(cast.xiaomei.id)
    member_services.erase_member(member_id=cast.xiaoli.id, reason="own_wish", actor=DIRECTOR)
    plan = services.plan_follow_ups(members=everybody())
    assert (plan.chosen_count, plan.given_count, plan.withdrawn_count) == (1, 0, 1)
    give()
    assert not Reach.objects.exists()


def test_who_was_merged_is_given_once_as_who_she_is_now(cast: Cast) -> None:
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.lina.id, source="scan", actor=DIRECTOR)
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=cast.xiaoli.id, survivor_id=cast.xiaomei.id, actor=DIRECTOR
    )
    assert give().chosen_count == 1
    assert Reach.objects.get().member_id == cast.xiaomei.id


def test_a_cap_holds_it_back_with_its_reason(cast: Cast) -> None:
    FrequencyCap.objects.create(policy_id=1, channel="follow_up", span="day", most=1)
    give("k1")
    give("k2")
    campaign_services.send_due_reaches()
    assert sorted(Reach.objects.values_list("state", "code")) == [("failed", "capped"), ("sent", "")]


def test_what_is_sent_again_is_still_of_its_round_and_due_on_its_day(cast: Cast) -> None:
    FrequencyCap.objects.create(policy_id=1, channel="follow_up", span="day", most=1)
    give("k1")
    campaign_services.send_due_reaches()
    row = give("k2", title="另一轮")
    campaign_services.send_due_reaches()
    failed = Reach.objects.get(state="failed")
    again = Reach.objects.get(pk=campaign_services.resend_reach(reach_id=failed.pk, actor=DIRECTOR))
    campaign_services.send_due_reaches()
    again.refresh_from_db()
    assert (again.state, again.code) == ("failed", "capped")
    FrequencyCap.objects.all().delete()
    campaign_services.resend_reach(reach_id=again.pk, actor=DIRECTOR)
    campaign_services.send_due_reaches()
    task = FollowUp.objects.get(title="另一轮")
    assert (task.round_id, task.due_on) == (row.pk, row.due_on)


def test_what_is_sent_again_after_its_day_is_due_some_days_from_then(cast: Cast) -> None:
    row = give(due_on=clock.today())
    Reach.objects.update(state="failed", code="no_guide", finished_at=clock.now())
    later = clock.now() + dt.timedelta(days=3)
    campaign_services.resend_reach(reach_id=Reach.objects.get().pk, actor=DIRECTOR, at=later)
    Reach.objects.filter(state="queued").update(not_before=clock.now())
    campaign_services.send_due_reaches()
    task = FollowUp.objects.get()
    assert task.round_id == row.pk
    assert task.due_on > row.due_on


def test_nothing_is_given_when_it_is_rolled_back(cast: Cast) -> None:
    with transaction.atomic():
        give()
        transaction.set_rollback(True)
    assert not Reach.objects.exists()
    assert not FollowUpRound.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "  \u0000 "),
        ("title", "长" * 61),
        ("script", ""),
        ("script", "长" * 1_001),
        ("due_on", clock.today() - dt.timedelta(days=1)),
        ("due_on", clock.today() + dt.timedelta(days=31)),
    ],
)
def test_what_cannot_be_done_is_refused_by_field(cast: Cast, field: str, value: Any) -> None:
    with pytest.raises(Refusal) as refusal:
        give(**{field: value})
    assert (refusal.value.code, refusal.value.details["field"]) == ("guides.follow_up_round_unfit", field)


def test_the_last_day_of_the_month_ahead_is_still_taken(cast: Cast) -> None:
    give(due_on=clock.today() + dt.timedelta(days=30))
    assert Reach.objects.count() == 1


def test_too_many_at_once_are_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_up_rounds, "MOST_MEMBERS", 1)
    with pytest.raises(Refusal) as refusal:
        give()
    assert refusal.value.code == "guides.follow_up_round_too_large"


def test_staff_see_how_far_a_round_is_and_who_has_not_done_it(cast: Cast, client: Client) -> None:
    client.force_login(cast.head_office)
    row, other = give(), give("k2", title="另一轮")
    campaign_services.send_due_reaches()
    assert set(FollowUp.objects.values_list("round_id", flat=True)) == {row.pk, other.pk}
    listed = reverse("admin:guides_followupround_changelist")
    page = reverse("admin:guides_followupround_change", args=[row.pk])
    assert client.get(listed).content.decode().count("0 / 1") == 2
    shown = client.get(page).content.decode()
    assert "没做的 1 项" in shown
    link = unescape(shown.split('<a class="xe-link" href="')[1].split('"')[0])
    left = client.get(link).context["cl"].queryset
    assert [(task.round_id, task.guide_id) for task in left] == [(row.pk, cast.lina.id)]
    task = FollowUp.objects.get(round=row)
    FollowUp.objects.filter(pk=task.pk).update(due_on=clock.today() - dt.timedelta(days=1))
    done = dict(client.get(page).context["adminform"].form.instance.__dict__)
    assert (done["done_count"], done["made_count"], done["late_count"]) == (0, 1, 1)
    FollowUp.objects.filter(pk=task.pk).update(due_on=task.due_on)
    services.complete_follow_up(
        guide_id=cast.lina.id, public_id=task.public_id, result="reached", actor=DIRECTOR
    )
    shown = client.get(page).content.decode()
    assert ("1 / 1" in shown, "没做的" in shown) == (True, False)


def test_a_reason_that_only_looks_like_a_rounds_is_none(cast: Cast) -> None:
    row = give()
    keys = {
        f"task:{row.pk}:7",
        f"task:{row.pk + 1}:7",
        "task:x:1",
        f"task:{10**18}:1",
        f" task:{row.pk}:7",
        "",
    }
    assert rounds_of(keys) == {f"task:{row.pk}:7": row.pk}
