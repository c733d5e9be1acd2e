"""The form of a batch: how many, for whom, when, through which doors."""

import dataclasses
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from core.admin import DressedForm, autocomplete_field
from core.errors import Refusal
from coupons import services
from coupons.admin.fields import MomentField, OneTickWidget, TicksField, YuanField
from coupons.contracts import BatchTerms
from coupons.models import CouponBatch, CouponTemplate, Door, QuotaPeriod

_NAMES: Final = tuple(field.name for field in dataclasses.fields(BatchTerms))
FRESH: Final[dict[str, Any]] = {"member_limit": 1, "guide_quota_period": "whole", "doors": ["claim"]}


class BatchForm(DressedForm):
    """Money in yuan; an end without a time of day is the end of that day."""

    name = forms.CharField(label=_("批次名称"), required=False, help_text=_("只给同事看，最多 40 个字"))
    quota = forms.IntegerField(label=_("总数量"), required=False)
    partner_name = forms.CharField(
        label=_("合作方"),
        required=False,
        max_length=40,
        help_text=_("券码由合作方提供时填写；数量就是导入的券码数，总数量留空"),
    )
    doors = TicksField(label=_("从哪里发"), choices=Door.choices)
    member_limit = forms.IntegerField(label=_("每人限领"), required=False, help_text=_("留空表示不限"))
    member_daily_limit = forms.IntegerField(
        label=_("每人每天限领"), required=False, help_text=_("留空表示不限")
    )
    opens_at = MomentField(label=_("从什么时候发"), help_text=_("留空就是点了开始发放之后"))
    closes_at = MomentField(label=_("发到什么时候"), is_end=True, help_text=_("包括这一天；留空就一直发"))
    guide_quota = forms.IntegerField(label=_("每位导购可发"), required=False, help_text=_("留空表示不限"))
    guide_quota_period = forms.ChoiceField(
        label=_("多久算一次"), choices=QuotaPeriod.choices, widget=OneTickWidget
    )
    budget_fen = YuanField(label=_("预算"), help_text=_("留空表示不设；发一张就按单张最高成本预留"))
    cost_fen = YuanField(label=_("单张最高成本"), help_text=_("留空由系统按模板算；算不出来时会提示"))

    def __init__(self, *args: Any, row: CouponBatch | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.row = row
        if row is None:
            self.fields["template"] = autocomplete_field(
                CouponBatch, "template", CouponTemplate.objects.active(), label=_("券模板")
            )
        else:
            del self.fields["partner_name"]

    @property
    def is_partner(self) -> bool:
        if self.row is not None:
            return self.row.has_partner_codes
        return bool(self.cleaned_data.get("partner_name"))

    def terms(self) -> BatchTerms:
        """The terms as far as the fields could be read."""
        cleaned = {name: self.cleaned_data.get(name) for name in _NAMES}
        values: dict[str, Any] = cleaned | {
            "name": cleaned["name"] or "",
            "quota": cleaned["quota"] or (self.row.quota if self.row is not None and self.is_partner else 0),
            "doors": cleaned["doors"] or (),
            "guide_quota_period": cleaned["guide_quota_period"] or "whole",
        }
        return BatchTerms(**values)

    def usable_terms(self) -> BatchTerms | None:
        """The terms with the cost filled in, or None with every fault at its field."""
        is_read = self.is_valid()
        template_id = self.row.template_id if self.row is not None else self._template_id()
        try:
            faults, terms = services.list_batch_faults(
                terms=self.terms(), template_id=template_id, is_partner=self.is_partner
            )
        except Refusal as refusal:
            self.add_error("template" if "template" in self.fields else None, refusal.message)
            return None
        for field, message in faults.items():
            if field not in self.errors:
                self.add_error(field if field in self.fields else None, message)
        return terms if is_read and not self.errors else None

    def _template_id(self) -> int | None:
        template = self.cleaned_data.get("template")
        return None if template is None else int(template.pk)


class MoreForm(DressedForm):
    more = forms.IntegerField(label=_("追加数量"), min_value=1)


class MoreMoneyForm(DressedForm):
    more_fen = YuanField(label=_("追加预算（元）"), required=True)


class VoidForm(DressedForm):
    reason = forms.CharField(label=_("原因"), max_length=120)
    # The page's: sent twice it starts one job.
    key = forms.CharField(widget=forms.HiddenInput, max_length=80)


class CodesForm(DressedForm):
    file = forms.FileField(
        label=_("券码文件"),
        help_text=_("文本、CSV 或 XLSX，每行一个券码，取第一列；重复上传不会重复导入"),
    )
