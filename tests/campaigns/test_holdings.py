"""What the reach layer keeps about a member: merged, parted, exported, erased."""

from typing import Any

import pytest

from campaigns import services
from campaigns.models import InboxMessage, Reach, ReachBar, SubscriptionGrant
from campaigns.services.holdings import GrantHoldings, ReachHoldings
from core import clock
from members import services as member_services
from members.models import MemberMerge
from tests.campaigns.kit import World
from tests.cast import DIRECTOR


@pytest.fixture
def told(world: World) -> World:
    """A message of 小美 waits, one lies in her inbox, an account cannot write to her."""
    services.reach_member(order=world.order())
    world.send("in", channels=("inbox",))
    ReachBar.objects.create(
        member_id=world.cast.xiaomei.id,
        account_id=world.cast.account_id,
        code="wechat.blocked",
        barred_at=clock.now(),
    )
    world.grant(2)
    return world


def owners(model: Any) -> set[int]:
    return set(model.objects.values_list("member_id", flat=True))


def test_merging_moves_it_and_parting_brings_it_back(told: World) -> None:
    she, other = told.cast.xiaomei.id, told.cast.xiaoli.id
    ReachBar.objects.create(
        member_id=other, account_id=told.cast.account_id, code="wechat.unknown_user", barred_at=clock.now()
    )
    member_services.merge_members(first_id=she, second_id=other, survivor_id=other, actor=DIRECTOR)
    assert owners(Reach) == owners(InboxMessage) == owners(ReachBar) == {other}
    assert [bar.code for bar in ReachBar.objects.all()] == ["wechat.unknown_user"]
    record = MemberMerge.objects.live().get()
    member_services.undo_merge(merge_id=record.pk, actor=DIRECTOR)
    assert owners(Reach) == owners(InboxMessage) == {she}
    assert owners(ReachBar) == {she, other}


def test_a_copy_has_what_she_was_told_and_agreed_to(told: World) -> None:
    copy = ReachHoldings().export(told.cast.xiaomei.id)
    assert {line["状态"] for line in copy["触达记录"]} == {"已发送"}
    assert copy["站内信"][0]["标题"] == "券快到期了"
    assert GrantHoldings().export(told.cast.xiaomei.id)["订阅授权"][0]["剩余次数"] == 2


def test_erasing_leaves_rows_without_words(told: World) -> None:
    she = told.cast.xiaomei.id
    services.reach_member(order=told.order("waiting"))
    for part in (GrantHoldings(), ReachHoldings()):
        part.erase(member_id=she, actor=DIRECTOR, at=clock.now())
    assert set(Reach.objects.values_list("content", "message_id")) == {("", "")}
    assert (told.row("waiting").state, told.row("waiting").code) == ("skipped", "member_gone")
    for model in (InboxMessage, ReachBar, SubscriptionGrant):
        assert not model.objects.exists()
    services.send_due_reaches()
    assert not InboxMessage.objects.exists()
