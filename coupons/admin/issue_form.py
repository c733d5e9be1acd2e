"""Whom a bulk issue is for, as staff choose it."""

from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget

from core.admin import DressedForm, thousands
from coupons import selectors
from coupons.admin.fields import DayInput, IdsField, OneTickWidget, TicksField, TreeWidget
from coupons.admin.template_form import dealers_picker, stores_picker
from coupons.contracts import Audience
from coupons.models import BatchState, CouponBatch, Door
from guides import selectors as guide_selectors
from members import selectors as member_selectors

EVERYONE: Final = "everyone"
FILTER: Final = "filter"
LIST: Final = "list"
_WAYS: Final = ((FILTER, _("按条件")), (LIST, _("按名单")), (EVERYONE, _("看得到的全部会员")))
_BATCHES: Final = 100


class IssueForm(DressedForm):
    """A batch, and a way to say who: conditions, an uploaded list, or everybody whom the account sees."""

    batch = forms.TypedChoiceField(label=_("发哪一批"), coerce=int)
    way = forms.ChoiceField(label=_("发给谁"), choices=_WAYS, widget=OneTickWidget)
    tag_ids = TicksField(label=_("标签"), coerce=int, help_text=_("有其中任何一个标签"))
    tier_ids = TicksField(label=_("会员等级"), coerce=int)
    region_ids = IdsField(label=_("导购所在区域"), widget=TreeWidget(guide_selectors.list_region_tree))
    dealer_ids = IdsField(label=_("导购所在经销商"), widget=dealers_picker())
    store_ids = IdsField(label=_("导购所在门店"), widget=stores_picker())
    joined_from = forms.DateField(
        label=_("从哪天起入会"),
        required=False,
        widget=DayInput,
    )
    joined_until = forms.DateField(
        label=_("到哪天为止"),
        required=False,
        widget=DayInput,
    )
    file = forms.FileField(
        label=_("名单文件"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.xlsx"}),
        help_text=_("CSV 或 XLSX，每行一个手机号、会员码或会员卡号，最多 10 万行；认不出的会列出来给您"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["batch"].choices = [("", _now("请选择")), *list_open_batches()]  # type: ignore[attr-defined]
        tags = [(tag.id, f"{tag.group.name} · {tag.name}") for tag in member_selectors.list_tags()]
        tiers = [(tier.id, tier.name) for tier in member_selectors.list_tiers()]
        self.fields["tag_ids"].choices = tags  # type: ignore[attr-defined]
        self.fields["tier_ids"].choices = tiers  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = cleaned.get("joined_from"), cleaned.get("joined_until")
        if since and until and until < since:
            self.add_error("joined_until", _("结束那天不能早于开始那天"))
        if cleaned.get("way") == FILTER and not self.errors and self.audience() == Audience():
            self.add_error("way", _("请至少选一个条件；要发给所有人就选“全部会员”"))
        return cleaned

    def audience(self) -> Audience:
        """The conditions; those of another way than `filter` do not count."""
        if self.cleaned_data.get("way") != FILTER:
            return Audience()
        names = ("tag_ids", "tier_ids", "store_ids", "region_ids", "dealer_ids")
        lists: dict[str, Any] = {name: self.cleaned_data.get(name) or () for name in names}
        days: dict[str, Any] = {name: self.cleaned_data.get(name) for name in ("joined_from", "joined_until")}
        return Audience(**lists, **days)


def list_open_batches() -> list[tuple[int, str]]:
    """Batches that can be handed out by the system now, the newest first, with what is left."""
    rows = CouponBatch.objects.select_related("template").filter(
        doors__contains=[Door.SYSTEM], state=BatchState.OPEN
    )
    found = list(rows.order_by("-pk")[:_BATCHES])
    sums = selectors.sum_batches([row.pk for row in found])
    words = _now("%(batch)s（%(coupon)s，还剩 %(n)s 张）")
    return [
        (
            row.pk,
            words
            % {"batch": row.name, "coupon": row.template.title, "n": thousands(sums[row.pk].remaining_count)},
        )
        for row in found
    ]


def count_words(request: HttpRequest, form: IssueForm) -> dict[str, Any]:
    """How many the conditions mean at this moment, and how many of them have their coupons already."""
    way, batch_id = form.cleaned_data.get("way"), form.cleaned_data.get("batch")
    if way == LIST:
        return {"is_list": True}
    if way == FILTER and form.audience() == Audience():
        return {"is_open": True}
    ids = selectors.audience_ids(form.audience(), request.user)  # type: ignore[arg-type]
    total = ids.count()
    context = {"total": total, "words": selectors.audience_words(form.audience())}
    if batch_id:
        served = selectors.count_served(batch_id, ids)
        left = selectors.sum_batch(batch_id).remaining_count
        context |= {"served": served, "left": left, "short": max(0, total - served - left)}
    return context
