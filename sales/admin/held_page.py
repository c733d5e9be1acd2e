"""One waiting document in words: what it says (nobody's phone in full), why it waits, what to do."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin import money, thousands, when
from sales import selectors
from sales.admin.held_compare import compare, find_booked_url
from sales.admin.held_words import held_words, member_words
from sales.contracts import OrderDocument
from sales.errors import DocumentConflict
from sales.models import HeldDocument, HeldState
from sales.selectors.channels import channel_words
from sales.services.held import load_document, next_try_of

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


def held_page(request: HttpRequest, row: HeldDocument) -> dict[str, Any]:
    """The context of the page."""
    document = load_document(row)
    is_waiting = row.state == HeldState.WAITING
    names = selectors.list_product_names({line.product_code for line in document.lines})
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
    next_try_at = next_try_of(row)
    if next_try_at is not None:
        facts.append((_("下次自动重试"), _next_words(next_try_at)))
    return {
        "reason": held_words(row.reason, row.field, row.value),
        "what_to_do": _what_to_do(row) if is_waiting else "",
        "settled": f"{when(row.settled_at)} · {row.settled_by}" if row.settled_at else "",
        "note": row.note,
        "facts": facts,
        "lines": [
            (
                getattr(line, "product_name", "") or names.get(line.product_code, line.product_code),
                line.product_code,
                thousands(line.quantity),
                money(line.amount_fen),
            )
            for line in document.lines
        ],
        "comparison": compare(row, document) if is_waiting and row.reason == DocumentConflict.code else None,
        "booked_url": find_booked_url(row) if row.state == HeldState.BOOKED else "",
    }


def _next_words(at: dt.datetime) -> str:
    """The job comes by every ten minutes: what is due by then is not told a moment that has passed."""
    return when(at) if at > clock.now() + dt.timedelta(minutes=10) else _("十分钟内")


def _what_to_do(row: HeldDocument) -> Any:
    if row.kind == "return" and row.reason == DocumentConflict.code:
        return _("退货单不能更正：已入账的是对的就保留；新内容才对，就保留以后让收银系统换个单号重发。")
    return _WHAT_TO_DO.get(row.reason, "")
