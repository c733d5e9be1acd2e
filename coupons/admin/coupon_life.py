"""The life of one coupon, told line by line."""

import dataclasses
import datetime as dt
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core import clock
from core.admin import Panel, register_panel, when
from coupons.models import Coupon, CouponEvent, CouponGift, CouponState, Door, IssueJob, Redemption
from coupons.selectors.coupons import coupon_card_of, fetched
from coupons.selectors.words import end_words, money_words
from members import selectors as member_selectors

_SHOWN = 10


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, what, and what there is to say about it."""

    at: dt.datetime
    what: str
    words: str


def life_of(coupon: Coupon) -> list[Line]:
    """From its issue to today, the oldest first."""
    lines = [_issue_line(coupon)]
    used = iter(Redemption.objects.filter(coupon=coupon).select_related("store").order_by("pk"))
    last: Redemption | None = None
    for event in CouponEvent.objects.filter(coupon=coupon).order_by("pk"):
        if event.what == "redeemed":
            last = next(used, None)
        lines.append(_event_line(event, last))
    gifts = CouponGift.objects.filter(coupon=coupon, state="open").first()
    if gifts is not None:
        lines.append(
            Line(gifts.offered_at, _("等朋友领取"), _("%(at)s 没人领就退回") % {"at": when(gifts.expires_at)})
        )
    if coupon.told_at is not None:
        lines.append(Line(coupon.told_at, _("到期提醒"), _("提醒过快到期了")))
    if coupon.state in {CouponState.ISSUED, CouponState.GIFTING} and coupon.valid_until <= clock.now():
        lines.append(Line(coupon.valid_until, _("过期"), _("过了最后一天，没有用掉")))
    return sorted(lines, key=lambda line: line.at)


def _issue_line(coupon: Coupon) -> Line:
    door = Door(coupon.door).label
    pieces = [_("通过“%(door)s”") % {"door": door}]
    if coupon.issued_by_guide is not None:
        pieces.append(_("导购 %(name)s") % {"name": coupon.issued_by_guide.name})
    if coupon.issued_store is not None:
        pieces.append(coupon.issued_store.name)
    job = coupon.request_key.split(":")[1] if coupon.request_key.startswith("job:") else ""
    if job.isdecimal():
        words = IssueJob.objects.filter(pk=int(job)).values_list("audience_words", flat=True).first()
        pieces.append(_("批量发券 %(words)s") % {"words": words or f"#{job}"})
    what = _("领到") if coupon.door in {Door.CLAIM, Door.CODE, Door.SHARE} else _("发给会员")
    return Line(coupon.issued_at, what, "，".join(pieces))


def _event_line(event: CouponEvent, use: Redemption | None) -> Line:
    reason = _("原因：%(reason)s") % {"reason": event.reason} if event.reason else ""
    by = _("操作者：%(who)s") % {"who": event.actor} if event.actor else ""
    words: dict[str, tuple[str, str]] = {
        "redeemed": (_("核销"), _use_words(use)),
        "reversed": (
            _("撤销核销"),
            _("券退回给会员") if event.to_state == "issued" else _("券已过期，不再可用"),
        ),
        "locked": (_("下单占用"), _("被一个还没付款的订单占用")),
        "unlocked": (_("取消占用"), _("订单取消，券回到会员手里")),
        "lock_lapsed": (_("占用超时"), _("订单没有付款，券回到会员手里")),
        "offered": (_("发起转赠"), _("会员把券送给朋友")),
        "accepted": (_("被朋友领走"), _("换了持有人")),
        "returned": (_("转赠退回"), _("没有人领，券回到会员手里")),
        "expired": (_("过期"), ""),
        "voided": (_("作废"), ""),
    }
    what, told = words.get(event.what, (event.what, ""))
    return Line(event.at, what, "，".join(piece for piece in (told, reason, by) if piece))


def _use_words(use: Redemption | None) -> str:
    if use is None:
        return ""
    return _("在%(store)s用于订单 %(order)s，消费 %(amount)s，优惠 %(off)s") % {
        "store": use.store.name,
        "order": use.order_no,
        "amount": money_words(use.amount_fen),
        "off": money_words(use.discount_fen),
    }


def _life_panel(request: HttpRequest, coupon: Coupon) -> Panel:
    return Panel(_("这张券的经过"), "admin/xiaoer/coupons/panel_life.html", {"lines": life_of(coupon)})


def _member_panel(request: HttpRequest, member: Any) -> Panel | None:
    """Her last coupons on her own page, for whoever may see coupons."""
    if not request.user.has_perm("coupons.view_coupon"):
        return None
    now = clock.now()
    cards = [
        coupon_card_of(row, now) for row in fetched().filter(member_id=member.pk).order_by("-pk")[:_SHOWN]
    ]
    code = member_selectors.card_of(member).code
    give = request.user.has_perm("coupons.add_coupon")
    rows = [
        {
            "title": card.template.terms.title,
            "value": card.template.value_words,
            "state": card.state_label,
            "door": card.door_label,
            "until": end_words(card.valid_until),
            "url": reverse("admin:coupons_coupon_change", args=[card.id]),
        }
        for card in cards
    ]
    context = {
        "rows": rows,
        "all_url": f"{reverse('admin:coupons_coupon_changelist')}?q={code}" if rows else "",
        "give_url": f"{reverse('admin:coupons_coupon_add')}?q={code}" if give else "",
    }
    return Panel(_("优惠券"), "admin/xiaoer/coupons/panel_member.html", context)


register_panel("coupons.Coupon", _life_panel)
register_panel("members.Member", _member_panel, order=45)
