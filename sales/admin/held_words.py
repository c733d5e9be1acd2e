"""A waiting document's trouble, and whom it names, in words (nobody's phone in full)."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import phones
from core.admin import mask_openid
from sales.admin.desk_text import reason_words
from sales.contracts import MemberKey

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
