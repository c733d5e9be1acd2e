"""The demo's campaign messages: most arrive, some are opened after they arrived and before now, and the matrix shows it."""

import datetime as dt

import pytest
import time_machine
from django.apps import apps

from campaigns.models import CampaignMember, InboxMessage, Reach
from campaigns.selectors.contacts import get_contact_matrix
from campaigns.services.contacts import count_contacts
from config.demo.campaign_messages import deliver_and_open
from members.models import ConsentEntry, ConsentKind, ConsentText, MemberIdentity
from tests.campaigns.outcome_kit import make_members
from tests.campaigns.run_kit import listed, make_campaign, work
from tests.cast import Cast
from tests.sales.nine_kit import noon

pytestmark = pytest.mark.django_db
THEN, NOW = noon(dt.date(2026, 11, 20)), noon(dt.date(2026, 11, 28))


def agree(member_ids: list[int]) -> None:
    kind, _is_new = ConsentKind.objects.get_or_create(code="marketing", defaults={"title": "营销"})
    text, _is_new = ConsentText.objects.get_or_create(
        kind=kind,
        version=1,
        defaults={"title": "营销", "body": "…", "created_at": THEN, "published_at": THEN},
    )
    for member_id in member_ids:
        ConsentEntry.objects.create(
            member_id=member_id, kind=kind, text=text, action="agreed", door="mini_program", at=THEN, actor="she",
            text_digest="x",
        )  # fmt: skip


def test_messages_are_opened_after_they_arrived_and_the_matrix_counts_it(cast: Cast) -> None:
    with time_machine.travel(THEN, tick=False):
        ids = make_members(80)
        silent, agreed = ids[:10], ids[10:]
        agree(agreed)
        apps.get_model("members", "Member").objects.filter(pk__in=ids).update(stage="member")
        for member_id in ids:
            MemberIdentity.objects.create(
                member_id=member_id, kind="mini_openid", app_id="wx1", value=f"o{member_id}", linked_at=THEN
            )
        run = work(make_campaign(listed(ids)))
    with time_machine.travel(NOW, tick=False):
        opened = deliver_and_open(campaign_id=run.campaign_id, at=NOW)
        count_contacts()
    assert set(Reach.objects.filter(member_id__in=silent).values_list("state", "code")) == {
        ("skipped", "no_consent")
    }
    arrived = Reach.objects.filter(state__in=["sent", "delivered"]).in_bulk()
    assert {row.member_id for row in arrived.values()} == set(agreed)
    places = list(CampaignMember.objects.filter(run=run, clicked_at__isnull=False))
    run.refresh_from_db()
    assert run.clicked_count == len(places) == opened
    assert 10 < opened < 60
    for place in places:
        assert place.reach_id is not None
        assert place.clicked_at is not None
        sent_at = arrived[place.reach_id].sent_at
        assert sent_at is not None
        assert sent_at < place.clicked_at < NOW
    assert not InboxMessage.objects.filter(
        member_id__in=[place.member_id for place in places], read_at=None
    ).exists(), "who opened what a message leads to has read it"
    matrix = get_contact_matrix(THEN.date().replace(day=1))
    assert sum(one.clicker_count for one in matrix.tallies.values()) == opened
    assert deliver_and_open(campaign_id=run.campaign_id, at=NOW) == 0
