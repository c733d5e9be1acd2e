"""The campaign's form keeps what a draft says: acts of every kind with their settings and order, and what has no field."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import services
from campaigns.contracts.campaigns import VariantDraft
from campaigns.models import Campaign, Segment, WebhookEndpoint
from campaigns.selectors.acts import ACT_KINDS
from core.models import StaffAccount
from members.models import Tag
from tests.admin.act_kit import act_values
from tests.campaigns.campaign_kit import FOLLOW_UP, REACH, Desk, make_desk
from tests.cast import Cast
from tests.forms import sent_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(cast: Cast) -> Desk:
    return make_desk(cast)


@pytest.fixture
def client(made: Desk, client: Client) -> Client:
    client.force_login(StaffAccount.objects.get(username="writer"))
    return client


def saved_again(client: Client, row: Campaign, **changes: Any) -> list[list[dict[str, Any]]]:
    """The acts of its versions after somebody opened the form and saved what was there."""
    url = reverse("admin:campaigns_campaign_edit", args=[row.pk])
    sent = sent_by(client.get(url).content.decode(), having="revision")
    answer = client.post(url, sent | changes)
    assert answer.status_code == 302, answer.context["forms"].main.errors
    return [variant.acts for variant in row.variants.order_by("letter")]


@pytest.mark.parametrize("kind", ACT_KINDS)
def test_every_kind_of_act_comes_out_of_the_form_as_it_went_in(made: Desk, client: Client, kind: str) -> None:
    values = act_values(made.cast)[kind] | ({"topic": "marketing"} if kind == "reach" else {})
    act = {"do": kind, "with": values}
    row = made.made(
        variants=(VariantDraft(2, [act]), VariantDraft(1, [REACH, act] if kind != "reach" else [REACH]))
    )
    before = [variant.acts for variant in row.variants.order_by("letter")]
    assert saved_again(client, row) == before


def test_acts_stay_in_their_order_and_those_without_a_field_stay(made: Desk, client: Client) -> None:
    values = act_values(made.cast)
    tag = {"do": "tag", "with": values["tag"]}
    off = {"do": "tag", "with": values["tag"] | {"how": "add", "days": 3}}
    acts = [{"do": "points", "with": {"points": 5, "reason": "礼"}}, FOLLOW_UP, off, tag, REACH]
    row = made.made(variants=(VariantDraft(1, acts),))
    assert "另外还会" in client.get(reverse("admin:campaigns_campaign_edit", args=[row.pk])).content.decode()
    assert saved_again(client, row) == [acts]
    [changed] = saved_again(client, row, **{"A-points": "", "A-points_reason": "", "A-title": "新标题"})
    assert changed == [FOLLOW_UP, off, tag, {"do": "reach", "with": {**REACH["with"], "title": "新标题"}}]


def test_what_is_not_offered_any_more_is_said_and_not_lost(made: Desk, client: Client) -> None:
    values = act_values(made.cast)
    acts = [{"do": "tag", "with": values["tag"]}, {"do": "webhook", "with": values["webhook"]}]
    row = made.made(variants=(VariantDraft(1, acts),))
    Tag.objects.update(is_active=False)
    WebhookEndpoint.objects.update(is_active=False)
    Segment.objects.update(is_active=False)
    url = reverse("admin:campaigns_campaign_edit", args=[row.pk])
    page = client.get(url).content.decode()
    assert page.count("现在不能选") == 3
    answer = client.post(url, sent_by(page, having="revision"))
    assert answer.status_code == 200
    assert "找不到" in answer.content.decode()
    assert [variant.acts for variant in row.variants.all()] == [acts]


@pytest.mark.parametrize(
    "kept", ["[", "{}", "[1]", '[{"do": 1}]', '[{"do": "tag", "with": []}]', "[" * 9_000]
)
def test_a_hidden_field_that_somebody_bent_is_nothing(made: Desk, client: Client, kept: str) -> None:
    row = made.made()
    assert saved_again(client, row, **{"A-kept": kept}) == [[REACH]]
    assert services.copy_campaign(campaign_id=row.pk, starts_on=None, actor=made.writer)
