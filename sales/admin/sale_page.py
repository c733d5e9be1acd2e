"""What stands on the page of one order: goods, money, whose it is and was, revisions, returns, entries."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin import money, thousands, when
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from sales import selectors
from sales.admin.desk_text import (
    coupon_words,
    payment_words,
    reason_words,
    share_words,
    signed_words,
)
from sales.contracts import AttributionCard
from sales.models import Sale
from sales.selectors.channels import channel_words
from sales.selectors.documents import list_entries_of_order, list_revisions


def page_of(request: HttpRequest, sale: Sale) -> dict[str, Any]:
    """The context of the page."""
    decisions = [_decision(card) for card in selectors.list_attributions(sale.pk)]
    revisions = list_revisions(sale)
    return {
        "facts": _facts(request, sale),
        "lines": _lines(sale),
        "payments": [
            (payment_words(paid.method), money(paid.amount_fen)) for paid in sale.payments.order_by("pk")
        ],
        "coupons": [
            (f"…{used.code[-4:]}", money(used.discount_fen), coupon_words(used.outcome), used.outcome)
            for used in sale.coupons.order_by("code")
        ],
        "points": _points(sale),
        "returns": [_return(given) for given in sale.returns.select_related("store").order_by("returned_at")],
        "decision": next((one for one in decisions if one["is_live"]), None),
        "earlier": [one for one in decisions if not one["is_live"]],
        "revision_heads": [_revision_head(row) for row in revisions],
        "revision_rows": _compare(revisions) if len(revisions) > 1 else [],
        "entries": [_entry(entry) for entry in list_entries_of_order(sale)],
        "ledger_url": f"{reverse('admin:sales_performanceentry_changelist')}?q={sale.order_no}",
    }


def _facts(request: HttpRequest, sale: Sale) -> list[tuple[str, str, str]]:
    """(title, words, address)."""
    guides = guide_selectors.list_guide_labels(
        [one for one in (sale.serving_guide_id, sale.sharing_guide_id) if one]
    )
    member, member_url = _("散客"), ""
    if sale.member_id is not None:
        card = member_selectors.get_member_card(sale.member_id)
        member = f"{card.display_name} · {card.masked_phone or card.code}"
        member += _("（首单）") if sale.is_first else ""
        if request.user.has_perm("members.view_member"):
            member_url = reverse("admin:members_member_change", args=[sale.member_id])
    return [
        (_("门店"), sale.store.name, ""),
        (_("渠道"), channel_words(sale.channel), ""),
        (_("成交时间"), when(sale.sold_at), ""),
        (_("营业日"), str(sale.business_on), ""),
        (_("会员"), member, member_url),
        (_("接待导购"), guides.get(sale.serving_guide_id or 0, "—"), ""),
        (_("分享导购"), guides.get(sale.sharing_guide_id or 0, "—"), ""),
        (_("来源系统"), sale.source, ""),
        (_("入账时间"), when(sale.recorded_at), ""),
    ]


def _lines(sale: Sale) -> list[dict[str, Any]]:
    return [
        {
            "number": line.number,
            "product": line.product.name or line.product.code,
            "code": line.product.code,
            "quantity": thousands(line.quantity),
            "list": money(line.list_fen),
            "amount": money(line.amount_fen),
            "returned": f"{thousands(line.returned_quantity)} · {money(line.returned_fen)}"
            if line.returned_quantity
            else "",
        }
        for line in sale.lines.select_related("product").order_by("number")
    ]


def _points(sale: Sale) -> list[tuple[str, str]]:
    found = []
    if sale.points_earned:
        found.append((_("获得积分"), thousands(sale.points_earned)))
    if sale.points_spent:
        found.append((_("使用积分"), thousands(sale.points_spent)))
        found.append((_("实际扣除"), thousands(sale.points_taken)))
    if sale.points_outcome:
        found.append((_("没有扣成"), reason_words(sale.points_outcome)))
    return found


def _return(given: Any) -> dict[str, Any]:
    return {
        "number": given.return_no,
        "url": reverse("admin:sales_salereturn_change", args=[given.pk]),
        "store": given.store.name,
        "units": thousands(given.unit_count),
        "amount": money(given.amount_fen),
        "at": when(given.returned_at),
    }


def _decision(card: AttributionCard) -> dict[str, Any]:
    return {
        "words": card.words,
        "is_live": card.ended_at is None,
        "is_manual": card.is_manual,
        "made": when(card.made_at),
        "by": card.made_by,
        "reason": card.reason,
        "ended": when(card.ended_at) if card.ended_at else "",
        "shares": [
            (
                share.role_label,
                share.guide_name or share.store_name,
                share.store_name,
                share_words(share.share_bp),
                money(share.amount_fen),
            )
            for share in card.shares
        ],
    }


def _revision_head(row: Sale) -> str:
    words = _("第 %(n)s 版") % {"n": row.revision}
    return f"{words} · {_('当前')}" if row.is_current else words


def _compare(revisions: Sequence[Sale]) -> list[dict[str, Any]]:
    """One row for each thing that is told, its words in every revision, and whether they differ."""
    named = [
        (_("成交时间"), [when(row.sold_at) for row in revisions]),
        (_("门店"), [row.store.name for row in revisions]),
        (_("渠道"), [channel_words(row.channel) for row in revisions]),
        (_("会员"), [_member(row) for row in revisions]),
        (_("接待导购"), [str(row.serving_guide or "—") for row in revisions]),
        (_("分享导购"), [str(row.sharing_guide or "—") for row in revisions]),
        (_("成交金额（元）"), [money(row.amount_fen) for row in revisions]),
        (_("商品"), [_goods(row) for row in revisions]),
        (_("使用积分"), [thousands(row.points_spent) for row in revisions]),
        (_("收到时间"), [when(row.recorded_at) for row in revisions]),
    ]
    return [
        {"title": title, "cells": cells, "differs": len(set(cells)) > 1 and title != _("收到时间")}
        for title, cells in named
    ]


def _member(row: Sale) -> str:
    if row.member_id is None:
        return _("散客")
    return member_selectors.get_member_card(row.member_id).display_name


def _goods(row: Sale) -> str:
    lines = row.lines.select_related("product").order_by("number")
    return "\n".join(
        f"{line.product.name or line.product.code} × {line.quantity}  {money(line.amount_fen)}"
        for line in lines
    )


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "url": reverse("admin:sales_performanceentry_change", args=[entry.pk]),
        "day": entry.booked_on,
        "is_late": entry.booked_on != entry.due_on,
        "due": entry.due_on,
        "holder": str(entry.guide) if entry.guide is not None else _("门店自身"),
        "store": entry.store.name,
        "metric": entry.get_metric_display(),
        "value": signed_words(entry.metric, entry.value),
        "reason": entry.get_reason_display(),
        "is_reversal": entry.reversed_entry_id is not None,
        "at": when(entry.at),
    }
