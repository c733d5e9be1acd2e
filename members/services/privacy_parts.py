"""What `members` itself keeps about a member, part by part: exported in her words, and erased.

Each pair of functions answers for the tables of one holding (`members.services.holdings`). They run inside the
caller's transaction with the member's row locked, take a row id that may be a merged one, and may run twice. What is
erased is gone or says nothing of a person any more; counts, days and points stay for the books.
"""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from core import phones
from core.actor import Actor
from core.codes import new_code_12, new_public_id
from members.models import (
    ConsentEntry,
    DataRequest,
    Identity,
    Member,
    MemberAddress,
    MemberIdentity,
    MemberStage,
    MemberTag,
    PendingReversal,
    PhoneReveal,
    PointsAccount,
    PointsAdjustment,
    PointsEntry,
)
from members.selectors.people import card_of
from members.services.points_forfeit import forfeit_points

Section = list[dict[str, Any]]
Sections = dict[str, Section]


def export_profile(member_id: int) -> Sections:
    """Who she is: her own data in full, because it is hers."""
    row = Member.objects.get(pk=member_id)
    card = card_of(row)
    facts = {
        _("会员码"): row.code,
        _("身份"): card.stage_label,
        _("姓名"): row.name,
        _("手机号"): row.phone,
        _("性别"): str(row.get_gender_display()) if row.gender else "",
        _("生日"): row.birthday.isoformat() if row.birthday else "",
        _("来源"): card.source_label,
        _("加入时间"): row.registered_at.isoformat(),
        _("关注公众号"): row.is_following,
    }
    return {_("基本资料"): [facts]}


def erase_profile(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """The row stays, for the books; it is nobody. Codes are drawn anew, so that no old card or link leads to it."""
    row = Member.objects.lock(member_id)
    if row.stage == MemberStage.ERASED:
        return 0
    row.public_id, row.code = new_public_id(), new_code_12()
    row.stage, row.erased_at = MemberStage.ERASED, at
    row.name, row.name_tokens = "", []
    row.phone = row.phone_tail = row.gender = row.source_scene = row.name_given_through = ""
    row.birthday = row.follow_changed_at = row.birthday_changed_at = None
    row.is_following = False
    row.save(
        update_fields=[
            "public_id", "code", "stage", "erased_at", "name", "name_tokens", "name_given_through", "phone",
            "phone_tail", "gender", "source_scene", "birthday", "follow_changed_at", "birthday_changed_at", "is_following",
        ]
    )  # fmt: skip
    return 1


def export_addresses(member_id: int) -> Sections:
    """Where she lives."""
    return {
        _("地址"): [
            {
                _("省"): place.province,
                _("市"): place.city,
                _("区县"): place.district,
                _("详细地址"): place.street,
                _("修改时间"): place.changed_at.isoformat(),
            }
            for place in MemberAddress.objects.filter(member_id=member_id)
        ]
    }


def erase_addresses(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """Nobody knows where she lives."""
    return MemberAddress.objects.filter(member_id=member_id).delete()[0]


def export_identities(member_id: int) -> Sections:
    """Under which names outside systems know her."""
    row = Member.objects.get(pk=member_id)
    return {
        _("身份标识"): [
            {
                _("类型"): str(identity.get_kind_display()),
                # A fingerprint tells her nothing; the number of the row is what it was made from.
                _("标识"): phones.mask(row.phone) if identity.kind == Identity.PHONE else identity.value,
                _("应用"): identity.app_id,
                _("关联时间"): identity.linked_at.isoformat(),
            }
            for identity in MemberIdentity.objects.filter(member_id=member_id).order_by("linked_at", "pk")
        ]
    }


def erase_identities(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """Nobody is found as her: who comes back is somebody new."""
    return MemberIdentity.objects.filter(member_id=member_id).delete()[0]


def export_tags(member_id: int) -> Sections:
    """The chain's tags of hers, those taken off as well."""
    rows = (
        MemberTag.objects.filter(member_id=member_id).select_related("tag__group").order_by("tagged_at", "pk")
    )
    return {
        _("标签"): [
            {
                _("标签"): f"{row.tag.group.name} · {row.tag.name}",
                _("打标签时间"): row.tagged_at.isoformat(),
                _("来源"): str(row.get_origin_display()),
                _("有效期至"): row.expires_at.isoformat() if row.expires_at else "",
                _("去掉时间"): row.removed_at.isoformat() if row.removed_at else "",
            }
            for row in rows
        ]
    }


def erase_tags(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """What the chain said of her is unsaid."""
    return MemberTag.objects.filter(member_id=member_id).delete()[0]


def export_points(member_id: int) -> Sections:
    """Her points and every change of them."""
    accounts = PointsAccount.objects.filter(member_id=member_id)
    entries = PointsEntry.objects.filter(account__member_id=member_id).order_by("pk")
    return {
        _("积分"): [
            {
                _("可用积分"): account.balance,
                _("冻结积分"): account.frozen,
                _("开通时间"): account.opened_at.isoformat(),
            }
            for account in accounts
        ],
        _("积分流水"): [
            {
                _("时间"): entry.at.isoformat(),
                _("类型"): str(entry.get_kind_display()),
                _("变动"): entry.delta,
                _("变动后"): entry.balance_after,
                _("说明"): entry.reason,
                _("业务单号"): entry.source_key,
            }
            for entry in entries
        ],
    }


def erase_points(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """Her points are forfeited by an entry; the ledger stays, without the words people wrote into it."""
    count = forfeit_points(member_id=member_id, actor=actor, at=at)
    ours = PointsEntry.objects.filter(account__member_id=member_id).exclude(reason="")
    count += ours.update(reason="")
    count += PendingReversal.objects.filter(account__member_id=member_id).exclude(reason="").update(reason="")
    adjustments = PointsAdjustment.objects.filter(account__member_id=member_id)
    return count + adjustments.update(reason="", decision_note="")


def export_privacy(member_id: int) -> Sections:
    """What she agreed to, who looked at her phone, and what she asked for."""
    consents = ConsentEntry.objects.filter(member_id=member_id).select_related("kind", "text")
    reveals = PhoneReveal.objects.filter(member_id=member_id, outcome="shown").order_by("at", "pk")
    requests = DataRequest.objects.filter(member_id=member_id).order_by("asked_at", "pk")
    return {
        _("授权记录"): [
            {
                _("时间"): entry.at.isoformat(),
                _("项目"): entry.kind.title,
                _("版本"): entry.text.version,
                _("动作"): str(entry.get_action_display()),
                _("渠道"): str(entry.get_door_display()),
            }
            for entry in consents.order_by("at", "pk")
        ],
        _("手机号被查看"): [
            {_("时间"): reveal.at.isoformat(), _("原因"): str(reveal.get_reason_display())}
            for reveal in reveals
        ],
        _("资料申请"): [
            {
                _("时间"): request.asked_at.isoformat(),
                _("申请"): str(request.get_kind_display()),
                _("状态"): str(request.get_state_display()),
            }
            for request in requests
        ],
    }


def erase_privacy(*, member_id: int, actor: Actor, at: dt.datetime) -> int:
    """That she agreed and was looked at stays as proof; the words beside a reveal go."""
    return PhoneReveal.objects.filter(member_id=member_id).update(words="")
