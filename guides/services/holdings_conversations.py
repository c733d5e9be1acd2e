"""What becomes of a member's conversation when she is merged, parted, exported or erased."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from guides.models import Conversation, ConversationMessage, Speaker
from guides.services.conversations import recount
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot


class ConversationHoldings(MemberHoldings):
    """One conversation a member; a merge makes one of two."""

    label = "guides.conversations"
    title = _("会话")
    models = ("guides.Conversation",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many messages either side has; all of them stay."""
        said = ConversationMessage.objects.exclude(speaker=Speaker.SETTLED)
        mine, theirs = (
            said.filter(conversation__member_id=member_id).count() for member_id in (survivor_id, emptier_id)
        )
        if not mine and not theirs:
            return ()
        words = _now("%(count)d 条")
        return (
            MergeLine(
                title=str(self.title),
                survivor=words % {"count": mine},
                emptier=words % {"count": theirs},
                outcome=words % {"count": mine + theirs},
                reason=_now("两边的会话合成一个"),
            ),
        )

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """All messages stand in the survivor's conversation."""
        theirs = Conversation.objects.filter(member_id=emptier_id).first()
        if theirs is None:
            return {}
        hers, _is_new = Conversation.objects.get_or_create(
            member_id=survivor_id,
            defaults={
                "account_id": theirs.account_id,
                "last_at": theirs.last_at,
                "given_to_id": theirs.given_to_id,
            },
        )
        moved = ConversationMessage.objects.filter(conversation=theirs)
        ids = list(moved.order_by("pk").values_list("pk", flat=True))
        moved.update(conversation=hers)
        theirs.delete()
        recount(conversation_id=hers.pk)
        given = [] if theirs.given_to_id is None else [theirs.given_to_id]
        return {"messages": ids, "account": [theirs.account_id], "given": given}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """Those that moved are the parted member's again; what was said since stays with the survivor."""
        moved = ConversationMessage.objects.filter(
            pk__in=snapshot.get("messages", []), conversation__member_id=survivor_id
        )
        if not moved.exists():
            return
        hers = Conversation.objects.get(member_id=survivor_id)
        theirs, _is_new = Conversation.objects.get_or_create(
            member_id=emptier_id,
            defaults={
                "account_id": snapshot["account"][0],
                "last_at": at,
                "given_to_id": next(iter(snapshot.get("given", [])), None),
            },
        )
        moved.update(conversation=theirs)
        recount(conversation_id=theirs.pk)
        if hers.messages.exists():
            recount(conversation_id=hers.pk)
        else:
            hers.delete()

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """What was said, in its order."""
        said = ConversationMessage.objects.filter(conversation__member_id=member_id)
        lines = said.exclude(speaker=Speaker.SETTLED).order_by("pk")
        return {
            _now("会话"): [
                {
                    _now("时间"): line.at.isoformat(),
                    _now("谁"): str(line.get_speaker_display()),
                    _now("内容"): line.words or line.kind,
                }
                for line in lines
            ]
        }

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """All of it is gone."""
        return Conversation.objects.filter(member_id=member_id).delete()[0]
