"""Sending by hand what went over no channel: once, by today's rules, and nothing else."""

import json
from functools import partial
from typing import Any

import pytest

from campaigns import services
from campaigns.errors import ReachNotResendable
from campaigns.models import Reach
from core.actor import Actor
from core.errors import NotFound
from core.models import AuditEntry
from members import services as member_services
from members.models import Member, MemberIdentity
from tests.campaigns.kit import World
from tests.cast import make_follower, openid_of
from tests.threads import at_once

DESK = Actor.staff(1, "总部")


def again(reach: Reach) -> int:
    return services.resend_reach(reach_id=reach.pk, actor=DESK)


def fail(world: World, **other: Any) -> Reach:
    """No window, and nothing else to try."""
    reach = world.send(channels=("service_message",), **other)
    assert reach.state == "failed"
    return reach


def test_what_failed_goes_once_more_over_the_channels_of_now(world: World) -> None:
    failed = fail(world)
    new_id = again(failed)
    assert again(failed) == new_id
    services.send_due_reaches()
    sent = Reach.objects.get(pk=new_id)
    assert (sent.state, sent.reason_key) == ("sent", f"again:{failed.pk}")
    assert sent.channels != failed.channels  # the topic's rule, not the chain of then
    assert json.loads(sent.content) == json.loads(failed.content) | {"first_reason": "r1"}
    failed.refresh_from_db()
    assert failed.state == "failed"
    entry = AuditEntry.objects.get(action="campaigns.reach_resent")
    assert (entry.subject_id, entry.details["reach_id"]) == (failed.pk, new_id)


def test_ten_at_once_make_one(world: World) -> None:
    failed = fail(world)
    answers = at_once([partial(again, failed)] * 10)
    assert len(set(answers)) == 1
    assert Reach.objects.count() == 2


def test_only_what_surely_did_not_reach_her_is_sent_again(world: World) -> None:
    reach = fail(world)
    for state in ("sent", "delivered", "skipped", "uncertain"):
        Reach.objects.filter(pk=reach.pk).update(state=state)
        with pytest.raises(ReachNotResendable):
            again(reach)
    Reach.objects.filter(pk=reach.pk).update(state="failed", content="")
    with pytest.raises(ReachNotResendable):
        again(reach)
    with pytest.raises(NotFound):
        services.resend_reach(reach_id=0, actor=DESK)
    assert Reach.objects.count() == 1
    assert not AuditEntry.objects.filter(action="campaigns.reach_resent").exists()


def test_who_was_merged_meanwhile_is_told_as_who_she_lives_on_as(world: World) -> None:
    other = make_follower("小号", openid_of("second"))
    MemberIdentity.objects.filter(member_id=other.id).delete()
    failed = fail(world, member_id=other.id)
    member_services.merge_members(
        first_id=world.cast.xiaomei.id, second_id=other.id, survivor_id=world.cast.xiaomei.id, actor=DESK
    )
    assert Member.objects.get(pk=other.id).merged_into_id == world.cast.xiaomei.id
    assert Reach.objects.get(pk=again(failed)).member_id == world.cast.xiaomei.id
