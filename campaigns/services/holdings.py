"""What the reach layer keeps about a member."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import REACH_WORDS
from campaigns.contracts import reaches as why
from campaigns.models import InboxMessage, Reach, ReachBar, ReachState, SubscriptionGrant
from core.actor import Actor
from members import selectors as member_selectors
from members.contracts import MergeLine
from members.services.holdings import FollowingHoldings, MemberHoldings, Snapshot, repoint, repoint_back


class ReachHoldings(MemberHoldings):
    """Messages to her, what lies in her inbox, and who may not write to her."""

    label = "campaigns.reaches"
    title = _("触达")
    models: ClassVar[tuple[str, ...]] = (
        "campaigns.Reach",
        "campaigns.InboxMessage",
        "campaigns.ReachBar",
    )

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many messages lie in either inbox; all of them stay."""
        hers = InboxMessage.objects.filter(member_id=survivor_id).count()
        theirs = InboxMessage.objects.filter(member_id=emptier_id).count()
        if not hers and not theirs:
            return ()
        return (
            MergeLine(_now("站内信"), str(hers), str(theirs), str(hers + theirs), _now("两边的消息都保留")),
        )

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """All messages are the survivor's. Of two bars by one account hers stays."""
        hers = ReachBar.objects.filter(member_id=survivor_id).values("account_id")
        doubled = ReachBar.objects.filter(member_id=emptier_id, account_id__in=hers)
        dropped = [
            {"account": row.account_id, "code": row.code, "barred_at": row.barred_at.isoformat()}
            for row in doubled.order_by("pk")
        ]
        doubled.delete()
        return {
            **{
                label: repoint(model=label, emptier_id=emptier_id, survivor_id=survivor_id)
                for label in self.models
            },
            "dropped": dropped,
        }

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        if not snapshot:
            return
        for label in self.models:
            repoint_back(model=label, ids=snapshot[label], emptier_id=emptier_id, survivor_id=survivor_id)
        ReachBar.objects.bulk_create(
            [
                ReachBar(
                    member_id=emptier_id,
                    account_id=row["account"],
                    code=row["code"],
                    barred_at=dt.datetime.fromisoformat(row["barred_at"]),
                )
                for row in snapshot["dropped"]
            ],
            ignore_conflicts=True,
        )

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """What she was to be told, over which channel, and what became of it."""
        told = [
            {
                _now("事项"): str(row.get_topic_display()),
                _now("内容"): json.loads(row.content)["text"] if row.content else "",
                _now("时间"): row.queued_at.isoformat(),
                _now("通道"): str(row.get_channel_display()) if row.channel else None,
                _now("状态"): str(row.get_state_display()),
                _now("原因"): str(REACH_WORDS.get(row.code, row.code)) or None,
            }
            for row in Reach.objects.filter(member_id=member_id).order_by("pk")
        ]
        inbox = [
            {
                _now("标题"): row.title,
                _now("内容"): row.text,
                _now("时间"): row.sent_at.isoformat(),
                _now("已读时间"): row.read_at.isoformat() if row.read_at else None,
            }
            for row in InboxMessage.objects.filter(member_id=member_id).order_by("pk")
        ]
        return ({_now("触达记录"): told} if told else {}) | ({_now("站内信"): inbox} if inbox else {})

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """Nothing more goes out; words and WeChat's ids are gone. The rows stay to be counted. One that is under way this
        moment keeps its state, which its sender will write."""
        rows = Reach.objects.filter(member_id=member_id)
        rows.filter(state=ReachState.QUEUED).update(
            state=ReachState.SKIPPED,
            code=why.MEMBER_GONE,
            finished_at=at,
            leased_until=None,
            lease_holder="",
        )
        touched = rows.update(content="", message_id="")
        touched += InboxMessage.objects.filter(member_id=member_id).delete()[0]
        return touched + ReachBar.objects.filter(member_id=member_id).delete()[0]


class GrantHoldings(FollowingHoldings):
    """Her consents to subscription messages; they hang on her openids, which move by themselves."""

    label = "campaigns.grants"
    title = _("订阅授权")

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """How many messages she still agreed to, by template."""
        people, _unionids = member_selectors.list_wechat_identities(member_id)
        lines = [
            {_now("模板"): row.template_id, _now("剩余次数"): row.count}
            for app_id, openid in people
            for row in SubscriptionGrant.objects.filter(account__app_id=app_id, openid=openid).order_by("pk")
        ]
        return {str(self.title): lines} if lines else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        people, _unionids = member_selectors.list_wechat_identities(member_id)
        return sum(
            SubscriptionGrant.objects.filter(account__app_id=app_id, openid=openid).delete()[0]
            for app_id, openid in people
        )
