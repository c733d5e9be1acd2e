"""The builder's form: a marketer's words in, terms out."""

import dataclasses
from typing import Any, Final

from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from core.admin import DressedForm
from coupons import services
from coupons.admin.fields import (
    ChipsField,
    ChipsWidget,
    DiscountField,
    HoursField,
    IdsField,
    KindWidget,
    MomentField,
    OneTickWidget,
    PickerWidget,
    SwatchWidget,
    TicksField,
    TreeWidget,
    YuanField,
)
from coupons.contracts import TemplateTerms
from coupons.models import NUMBERS, NUMBERS_OF_KIND, CardColour, CouponKind, Gifting, Validity
from coupons.selectors.faces import CHANNELS, channel_words, tier_names
from coupons.selectors.goods import GOODS
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from members.selectors.conditions import name_keys

_WEEKDAYS: Final = tuple(
    enumerate((_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")))
)
_NAMES: Final = tuple(field.name for field in dataclasses.fields(TemplateTerms))


def stores_picker() -> PickerWidget:
    """Stores by name, number or region."""
    return PickerWidget(
        lambda: reverse("admin:coupons_pick", args=["stores"]),
        lambda ids: guide_selectors.list_place_names(store_ids=ids)[0],
    )


def dealers_picker() -> PickerWidget:
    """Dealers by name or number."""
    return PickerWidget(
        lambda: reverse("admin:coupons_pick", args=["dealers"]),
        lambda ids: guide_selectors.list_place_names(dealer_ids=ids)[2],
    )


def goods_chips(what: str) -> ChipsWidget:
    """Categories or products, by name or code."""
    return ChipsWidget(
        lambda: reverse("admin:coupons_pick", args=[what]),
        lambda codes: name_keys(GOODS, what, codes),
    )


class TemplateForm(DressedForm):
    """Money in yuan, discounts in 折, scopes by name."""

    kind = forms.ChoiceField(label=_("类型"), choices=CouponKind.choices, widget=KindWidget)
    off_fen = YuanField(label=_("减多少"))
    per_fen = YuanField(label=_("每满多少减一次"), help_text=_("留空表示只减一次"))
    rate_bp = DiscountField(label=_("打几折"), help_text=_("例如 8.5"))
    cap_fen = YuanField(label=_("最多优惠"), help_text=_("留空不封顶；兑换券是每件的上限"))
    price_fen = YuanField(label=_("每件一口价"))
    units = forms.IntegerField(label=_("几件"), required=False)
    gift_name = forms.CharField(label=_("送什么"), required=False)
    gift_value_fen = YuanField(label=_("赠品价值"), help_text=_("按成本或市价估一个，用来算预算"))
    min_spend_fen = YuanField(label=_("满多少元可用"), help_text=_("留空表示没有门槛"))
    min_quantity = forms.IntegerField(label=_("满几件可用"), required=False, help_text=_("留空表示不限"))
    include_categories = ChipsField(
        label=_("只限这些类目"),
        widget=goods_chips("categories"),
        help_text=_("类目和商品都不填，表示全部商品"),
    )
    include_products = ChipsField(label=_("只限这些商品"), widget=goods_chips("products"))
    exclude_categories = ChipsField(label=_("排除类目"), widget=goods_chips("categories"))
    exclude_products = ChipsField(label=_("排除商品"), widget=goods_chips("products"))
    region_ids = IdsField(label=_("区域"), widget=TreeWidget(guide_selectors.list_region_tree))
    dealer_ids = IdsField(label=_("经销商"), widget=dealers_picker())
    store_ids = IdsField(label=_("门店"), widget=stores_picker())
    tier_ids = TicksField(label=_("会员等级"), coerce=int, help_text=_("都不选表示不限等级"))
    channels = TicksField(label=_("渠道"), help_text=_("都不选表示不限渠道"))
    validity = forms.ChoiceField(label=_("有效期怎么算"), choices=Validity.choices, widget=OneTickWidget)
    valid_days = forms.IntegerField(label=_("几天"), required=False)
    valid_from = MomentField(label=_("从哪天"), help_text=_("不填时间就是从零点起"))
    valid_until = MomentField(label=_("到哪天"), is_end=True, help_text=_("包括这一天；填了时间就到那一刻"))
    weekdays = TicksField(label=_("哪几天"), choices=_WEEKDAYS, coerce=int, help_text=_("都不选表示每天"))
    hours = HoursField(label=_("什么时段"), help_text=_("不加表示全天；结束早于开始表示过零点"))
    is_exclusive = forms.BooleanField(
        label=_("不与其他券同用"), required=False, help_text=_("打开后，一单里用了它就不能再用别的券")
    )
    stacking_group = forms.CharField(
        label=_("叠加组"), required=False, help_text=_("同一组的券一单只能用一种，不同组的可以一起用")
    )
    max_per_order = forms.IntegerField(label=_("每单最多用"), required=False, help_text=_("留空就是 1 张"))
    gifting = forms.ChoiceField(label=_("转赠"), choices=Gifting.choices, widget=OneTickWidget)
    title = forms.CharField(label=_("券名称"), required=False, help_text=_("最多 20 个字，写在卡片上"))
    colour = forms.ChoiceField(label=_("卡片颜色"), choices=CardColour.choices, widget=SwatchWidget)
    usage_words = forms.CharField(
        label=_("使用说明"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("最多 500 个字"),
    )

    def __init__(self, *args: Any, initial: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, initial=initial, **kwargs)
        tiers = {tier.id: tier.name for tier in member_selectors.list_tiers()}
        kept = [tier for tier in initial.get("tier_ids", ()) if tier not in tiers]
        tiers |= dict(zip(kept, tier_names(kept), strict=True))
        self.fields["tier_ids"].choices = list(tiers.items())  # type: ignore[attr-defined]
        channels = dict.fromkeys([*CHANNELS, *initial.get("channels", ())])
        self.fields["channels"].choices = [(one, channel_words(one)) for one in channels]  # type: ignore[attr-defined]

    def terms(self) -> TemplateTerms:
        """The terms as far as the fields could be read; what the kind or the validity has no use for is left out,
        because the page does not show it."""
        cleaned = {name: self.cleaned_data.get(name) for name in _NAMES}
        kind, validity = cleaned["kind"] or "cash_off", cleaned["validity"] or "from_today"
        needed, allowed = NUMBERS_OF_KIND[kind]
        unused = set(NUMBERS) - {*needed, *allowed}
        unused |= {"valid_from", "valid_until"} if validity != "fixed" else set()
        unused |= {"valid_days"} if validity not in {"from_today", "from_tomorrow"} else set()
        values: dict[str, Any] = {name: None if name in unused else cleaned[name] for name in _NAMES}
        for field in dataclasses.fields(TemplateTerms):
            if values[field.name] is None and field.default is not dataclasses.MISSING:
                values[field.name] = field.default
        return TemplateTerms(
            **(values | {
                "kind": kind,
                "validity": validity,
                "title": cleaned["title"] or "",
                "gift_name": cleaned["gift_name"] or "" if kind == "gift" else "",
            })
        )  # fmt: skip

    def usable_terms(self) -> TemplateTerms | None:
        """The terms, or None with every fault at its field."""
        is_read = self.is_valid()
        terms = self.terms()
        for field, message in services.list_faults(terms=terms).items():
            if field not in self.errors:
                self.add_error(field, message)
        return terms if is_read and not self.errors else None


FRESH: Final[dict[str, Any]] = {
    "kind": "cash_off",
    "validity": "from_today",
    "valid_days": 7,
    "colour": "red",
    "gifting": "nobody",
}


def start_values(terms: TemplateTerms) -> dict[str, Any]:
    """What the form starts from; a threshold of nothing is an empty field."""
    values = dataclasses.asdict(terms)
    return values | {name: values[name] or None for name in ("min_spend_fen", "min_quantity")}
