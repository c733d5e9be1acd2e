"""What `guides` keeps about a member, and what the gateway keeps that only `guides` can find: told and erased.

As in `members.services.privacy_parts`: inside the caller's transaction, with the member's row locked, for one row id.
"""

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from core.actor import Actor
from guides.models import Binding, ChannelScan, GuideMemberTag, GuideNote, GuideRemark
from guides.services.bindings import end_binding, lock_live
from members import selectors as member_selectors
from wechat.services import erasing as gateway

Sections = dict[str, list[dict[str, Any]]]


def export_bindings(member_id: int) -> Sections:
    """Her guides, the first one first."""
    bindings = Binding.objects.filter(member_id=member_id).select_related("guide", "store")
    return {
        _("专属导购"): [
            {
                _("导购"): row.guide.name,
                _("门店"): row.store.name,
                _("绑定时间"): row.bound_at.isoformat(),
                _("绑定方式"): str(row.get_source_display()),
                _("结束时间"): row.ended_at.isoformat() if row.ended_at else "",
            }
            for row in bindings.order_by("bound_at", "pk")
        ],
    }


def export_scans(member_id: int) -> Sections:
    """The codes she scanned."""
    scans = ChannelScan.objects.filter(member_id=member_id).order_by("scanned_at", "pk")
    return {
        _("扫码记录"): [
            {_("时间"): row.scanned_at.isoformat(), _("结果"): str(row.get_outcome_display())}
            for row in scans
        ]
    }


def erase_bindings(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """She has no guide any more; bindings and scans stay as figures, without the words people wrote to them."""
    live = lock_live(member_id)
    if live is not None:
        end_binding(live, reason="", actor=actor, at=at)
    worded = Binding.objects.filter(~Q(reason="") | ~Q(end_reason=""), member_id=member_id)
    return worded.update(reason="", end_reason="") + (live is not None)


def export_notes(member_id: int) -> Sections:
    """What guides wrote down about her; who asks for her data may read it."""
    notes = GuideNote.objects.filter(member_id=member_id).order_by("created_at", "pk")
    tags = GuideMemberTag.objects.filter(member_id=member_id).select_related("tag").order_by("pk")
    remarks = GuideRemark.objects.filter(member_id=member_id).order_by("pk")
    return {
        _("导购备注"): [
            {_("时间"): note.created_at.isoformat(), _("内容"): note.text} for note in notes.kept()
        ],
        _("导购标签"): [{_("标签"): row.tag.name, _("时间"): row.tagged_at.isoformat()} for row in tags],
        _("导购称呼"): [{_("称呼"): row.name} for row in remarks],
    }


def erase_notes(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """Notes, also deleted ones, private tags and what guides call her are gone."""
    return sum(
        rows.delete()[0]
        for rows in (
            GuideNote.objects.filter(member_id=member_id),
            GuideMemberTag.objects.filter(member_id=member_id),
            GuideRemark.objects.filter(member_id=member_id),
        )
    )


def export_gateway(member_id: int) -> Sections:
    """Her following and her messages, as far as the gateway still keeps them."""
    openids, _unionids = member_selectors.list_wechat_identities(member_id)
    return gateway.export_person(people=openids)


def erase_gateway(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """The gateway does not know her; messages to guides that named her say nothing.

    Reads her identities, so it comes before they are erased. A guide who is also a customer follows the same account
    with the same openid: what the gateway knows of her as a follower goes, her login stays.
    """
    openids, unionids = member_selectors.list_wechat_identities(member_id)
    bindings = Binding.objects.filter(member_id=member_id).values_list("pk", flat=True)
    keys = [f"{told}:{pk}" for pk in bindings for told in ("tell", "tell-left")]
    return gateway.erase_person(people=openids, unionids=unionids, at=at) + gateway.blank_messages(
        reason_keys=keys, at=at
    )
