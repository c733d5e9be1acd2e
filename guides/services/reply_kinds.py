"""A part of a reply rule that calls her guide: she is told who that is, and her conversation waits for an answer."""

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from guides.selectors.member_side import find_member_guide
from guides.services.conversations import TRANSFER, keep_message
from guides.services.talkers import find_talker
from guides.services.words import place_of
from wechat.services.reply_kinds import Asked, ReplyKind, Said


class TransferToGuide(ReplyKind):
    """Names nothing: whose she is, her binding says at that moment."""

    key = "guide"
    title = _("转接导购")
    hands_over = True

    def preview(self, target: str) -> str:
        """With a guide's name in it."""
        return _now("已为您转给专属导购（导购姓名，门店），会尽快在这里回复您。")

    def answer(self, asked: Asked) -> Said | None:
        """Her guide sees that she is called, also when she wrote nothing (a follow, a scan, a menu)."""
        actor = Actor.system("reply_rule")
        kept = keep_message(
            account_id=asked.account_id,
            app_id=asked.app_id,
            openid=asked.openid,
            kind=TRANSFER,
            inbound_id=asked.inbound_id,
            actor=actor,
            at=asked.at,
        )
        if kept is None:
            return Said(_now("请先在小程序里登录，再找导购。"))
        member_id = find_talker(
            account_id=asked.account_id, app_id=asked.app_id, openid=asked.openid, actor=actor, at=asked.at
        )
        found = None if member_id is None else find_member_guide(member_id, asked.at)
        guide = None if found is None else found.guide
        if guide is None or not guide.is_active:
            return Said(_now("已收到，我们会尽快安排导购在这里回复您。"))
        return Said(
            _now("已为您转给专属导购%(name)s（%(place)s），会尽快在这里回复您。")
            % {"name": guide.name, "place": place_of(guide)}
        )
