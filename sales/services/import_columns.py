"""Which column of a file of orders or returns means what: guessed by its heading, chosen by a person, remembered."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.imports.columns import by_word, guess_columns, usable_columns
from members.services.import_columns import usable_app_id
from sales.errors import IntakeMappingUnusable
from sales.models import IntakeKind

# What a column may mean; the first of each group is the document's, then its lines'.
_SHARED: Final[dict[str, Any]] = {
    "order_no": _("订单号"),
    "store_code": _("门店编号"),
    "serving_guide": _("接待导购工号"),
    "phone": _("会员手机号"),
    "pos_card": _("会员卡号"),
    "member_code": _("会员码"),
    "unionid": _("unionid"),
    "openid": _("公众号 openid"),
    "mini_openid": _("小程序 openid"),
    "amount": _("整单金额（元）"),
    "product_code": _("商品编码"),
    "product_name": _("商品名称"),
    "quantity": _("数量"),
    "line_amount": _("成交金额（元）"),
}
TARGETS: Final[Mapping[str, Mapping[str, Any]]] = {
    IntakeKind.ORDER: {
        **_SHARED,
        "revision": _("版本"),
        "sold_at": _("成交时间"),
        "channel": _("渠道"),
        "sharing_guide": _("分享导购工号"),
        "points_spent": _("使用积分"),
        "payments": _("支付明细"),
        "coupons": _("用券明细"),
        "list_amount": _("吊牌金额（元）"),
        "category_code": _("类目编码"),
        "category_name": _("类目名称"),
    },
    IntakeKind.RETURN: {
        **_SHARED,
        "order_no": _("原订单号"),
        "line_amount": _("退款金额（元）"),
        "return_no": _("退货单号"),
        "returned_at": _("退货时间"),
        "line_number": _("原订单行号"),
    },
}
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    IntakeKind.ORDER: ("order_no", "sold_at", "store_code", "product_code", "quantity", "line_amount"),
    IntakeKind.RETURN: ("return_no", "returned_at", "store_code", "product_code", "quantity", "line_amount"),
}
MEMBER_KEYS: Final = ("member_code", "phone", "pos_card", "unionid", "openid", "mini_openid")
# What a line of goods says; everything else is the document's, and its rows must agree on it.
OF_LINES: Final = frozenset(
    {
        "product_code", "product_name", "category_code", "category_name", "quantity", "list_amount", "line_amount",
        "line_number",
    }
)  # fmt: skip
# Headings as tills and shops export them; compared without blanks and signs.
_SYNONYMS: Final[Mapping[str, str]] = {
    "order_no": "订单号 订单编号 销售单号 小票号 单号 单据号 订单 原订单号 原单号 原销售单号 "
    "orderno ordernumber orderid receiptno originalorderno",
    "return_no": "退货单号 退货单 退单号 退款单号 售后单号 returnno returnnumber returnid refundno",
    "revision": "版本 修订 revision version",
    "sold_at": "成交时间 销售时间 下单时间 支付时间 交易时间 销售日期 订单时间 成交日期 "
    "soldat orderedat ordertime saletime paidat date",
    "returned_at": "退货时间 退款时间 退货日期 returnedat returntime refundedat",
    "store_code": "门店编号 门店编码 门店代码 店铺编码 店号 门店 退货门店 storecode store storeid shopcode",
    "channel": "渠道 销售渠道 订单来源 channel",
    "serving_guide": "接待导购工号 导购工号 导购编号 导购 营业员 营业员工号 店员工号 接待导购 servingguide guide guideno clerk",
    "sharing_guide": "分享导购工号 分享导购 推广导购 sharingguide",
    "phone": "会员手机号 手机号 手机 手机号码 phone mobile memberphone",
    "pos_card": "会员卡号 卡号 会员卡 会员编号 poscard card cardno membercard",
    "member_code": "会员码 membercode",
    "unionid": "unionid 微信unionid",
    "openid": "公众号openid openid 微信openid",
    "mini_openid": "小程序openid miniopenid",
    "amount": "整单金额 订单金额 实付金额 应付金额 合计 订单总额 退款总额 total ordertotal orderamount amount",
    "points_spent": "使用积分 抵扣积分 积分抵扣 pointsspent pointsused",
    "payments": "支付明细 支付方式 付款明细 payments payment",
    "coupons": "用券明细 优惠券 券码 coupons coupon",
    "product_code": "商品编码 商品编号 商品代码 货号 款号 条码 sku 商品条码 productcode product itemcode skucode",
    "product_name": "商品名称 品名 商品 名称 productname itemname",
    "category_code": "类目编码 类目 品类 分类编码 商品类目 category categorycode",
    "category_name": "类目名称 品类名称 分类名称 categoryname",
    "quantity": "数量 件数 销售数量 退货数量 quantity qty units",
    "list_amount": "吊牌金额 吊牌价合计 原价金额 标价金额 吊牌额 listamount tagamount originalamount",
    "line_amount": "成交金额 明细金额 行金额 销售金额 成交额 退款金额 退货金额 金额 lineamount netamount refundamount",
    "line_number": "原订单行号 原行号 行号 linenumber lineno",
}
_BY_WORD: Final = by_word(_SYNONYMS)
_APPS: Final = {"openid": "app_id", "mini_openid": "mini_app_id"}
_CHANNEL_LENGTH: Final = 16


@dataclasses.dataclass(frozen=True, slots=True)
class IntakePlan:
    """A usable mapping: the column of each target, and what a person chose beside them."""

    kind: str
    columns: Mapping[str, int]
    app_ids: Mapping[str, str]  # of openids
    channel: str  # where no column says it


def suggest_mapping(*, headings: Sequence[str], kind: str) -> dict[str, Any]:
    """What the headings of a file of that kind most likely mean, and options to begin with."""
    columns = guess_columns(headings, words=_BY_WORD, targets=TARGETS[kind])
    return {"columns": columns, "app_id": "", "mini_app_id": "", "channel": "store"}


def usable_mapping(*, mapping: Mapping[str, Any], width: int, kind: str) -> IntakePlan:
    """The mapping in its checked form, for a file of `width` columns. Refuses a column or target that does not exist,
    a target twice, one that is missing, and an account that is missing beside its openids."""
    placed = usable_columns(mapping, width=width, targets=TARGETS[kind], refusal=IntakeMappingUnusable)
    columns = {target: places[0] for target, places in placed.items()}
    missing = [str(TARGETS[kind][target]) for target in NEEDED[kind] if target not in columns]
    if missing:
        raise IntakeMappingUnusable(
            _now("还缺这些列：%(targets)s") % {"targets": "、".join(missing)}, field="columns"
        )
    channel = str(mapping.get("channel") or "").strip()
    if kind == IntakeKind.ORDER and "channel" not in columns and not 1 <= len(channel) <= _CHANNEL_LENGTH:
        raise IntakeMappingUnusable(_now("没有渠道列时，请填写这些订单的渠道，最多 16 个字"), field="channel")
    app_ids = {
        target: usable_app_id(mapping, option=option, refusal=IntakeMappingUnusable)
        for target, option in _APPS.items()
        if target in columns
    }
    return IntakePlan(kind, columns, app_ids, channel)
