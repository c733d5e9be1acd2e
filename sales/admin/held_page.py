"""One waiting document in words: what it says (nobody's phone in full), why it waits, what to do."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import phones
from core.admin import mask_openid, money, thousands, when
from sales.admin.desk_text import channel_words, reason_words
from sales.contracts import MemberKey, OrderDocument
from sales.models import HeldDocument, HeldState, Sale
from sales.services.held import load_document

_WHAT_TO_DO: Final[Mapping[str, Any]] = {
    "sales.unknown_store": gettext_lazy(
        "先登记这家门店再重试；如果是收银系统写错了编号，点“对应编号”，以后这个来源再发来会自动入账。"
    ),
    "sales.unknown_guide": gettext_lazy(
        "先登记这位导购再重试；如果只是工号写法不同，点“对应编号”，以后会自动认出。"
    ),
    "sales.unknown_member": gettext_lazy("核对后点“指定会员”，或按散客入账；会员登记后再重试也可以。"),
    "sales.unknown_order": gettext_lazy("等原订单到了会自动入账。如果原订单不会来了，作废并写明原因。"),
    "sales.return_too_large": gettext_lazy("核对退货数量和金额；退货单错了就作废，让收银系统重发。"),
    "sales.document_conflict": gettext_lazy("对照已入账的内容：新内容是对的就按更正入账，旧的是对的就保留。"),
    "sales.corrected_below_returned": gettext_lazy("先核对已入账的退货单，再重试。"),
}
_KEY_KINDS: Final[Mapping[str, Any]] = {
    "phone": gettext_lazy("手机号"),
    "pos_card": gettext_lazy("会员卡号"),
    "member_code": gettext_lazy("会员码"),
    "unionid": "unionid",
    "openid": "openid",
    "mini_openid": gettext_lazy("小程序 openid"),
}


def held_words(reason: str, field: str, value: str) -> str:
    """ "门店编号 S013 不存在"."""
    if reason == "sales.unknown_store" and value:
        return _("门店编号 %(code)s 不存在") % {"code": value}
    if reason == "sales.unknown_guide" and value:
        return _("导购工号 %(code)s 不存在") % {"code": value}
    short = {
        "sales.unknown_member": _("单据上的会员没有找到"),
        "sales.unknown_order": _("原订单还没有收到"),
        "sales.document_conflict": _("同一单号内容不同"),
        "sales.return_too_large": _("退货超过剩余"),
        "sales.corrected_below_returned": _("更正后少于已退"),
    }
    return short.get(reason) or reason_words(reason)


def held_page(request: HttpRequest, row: HeldDocument) -> dict[str, Any]:
    """The context of the page."""
    document = load_document(row)
    is_order = isinstance(document, OrderDocument)
    facts = [
        (_("来源系统"), row.source),
        (_("单号"), row.number),
        (_("门店编号"), document.store_code),
        (_("时间"), when(document.sold_at if isinstance(document, OrderDocument) else document.returned_at)),
        (_("会员"), member_words(document.member)),
        (_("接待导购工号"), document.serving_guide or "—"),
        (_("金额（元）"), money(document.amount_fen)),
    ]
    if isinstance(document, OrderDocument):
        facts += [
            (_("渠道"), channel_words(document.channel)),
            (_("分享导购工号"), document.sharing_guide or "—"),
            (_("版本"), str(document.revision)),
        ]
    else:
        facts.append((_("原订单号"), document.order_no or "—"))
    facts += [(_("收到时间"), when(row.held_at)), (_("已重试次数"), thousands(row.tries))]
    return {
        "reason": held_words(row.reason, row.field, row.value),
        "is_waiting": row.state == HeldState.WAITING,
        "what_to_do": _WHAT_TO_DO.get(row.reason, "") if row.state == HeldState.WAITING else "",
        "settled": f"{when(row.settled_at)} · {row.settled_by}" if row.settled_at else "",
        "note": row.note,
        "facts": facts,
        "lines": [
            (
                getattr(line, "product_name", "") or line.product_code,
                line.product_code,
                thousands(line.quantity),
                money(line.amount_fen),
            )
            for line in document.lines
        ],
        "booked": _booked(row) if is_order and row.reason == "sales.document_conflict" else None,
    }


def member_words(member: MemberKey | None) -> str:
    """How the document names her, with its middle gone."""
    if member is None:
        return _("散客")
    if member.kind == "phone":
        shown = phones.mask(phones.digits_of(member.value))
    elif member.kind == "member_code":
        shown = member.value
    else:
        shown = mask_openid(member.value)
    return f"{_KEY_KINDS[member.kind]} {shown}"


def _booked(row: HeldDocument) -> dict[str, Any] | None:
    """What stands under the same number, to compare."""
    sale = (
        Sale.objects.current().filter(source=row.source, order_no=row.number).select_related("store").first()
    )
    if sale is None:
        return None
    return {
        "id": sale.pk,
        "store": sale.store.name,
        "amount": money(sale.amount_fen),
        "at": when(sale.sold_at),
        "revision": sale.revision,
        "lines": [
            (
                line.product.name or line.product.code,
                line.product.code,
                thousands(line.quantity),
                money(line.amount_fen),
            )
            for line in sale.lines.select_related("product").order_by("number")
        ],
    }
