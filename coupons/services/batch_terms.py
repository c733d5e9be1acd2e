"""Whether the numbers of a batch make sense, told so that a marketer knows what to change."""

import dataclasses
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from coupons.contracts import BatchTerms
from coupons.errors import BatchUnusable, NoSuchTemplate, TemplateRetired
from coupons.models import CouponTemplate, Door, QuotaPeriod, TemplateState
from coupons.selectors.templates import terms_of, worst_cost_fen
from coupons.services.template_terms import MOST_FEN, Faults

MOST_COUPONS: Final = 100_000_000


def usable_batch(*, terms: BatchTerms, template: CouponTemplate, is_partner: bool) -> BatchTerms:
    """The terms with the cost filled in. Raises BatchUnusable with the field and what to do, for the first thing that
    is wrong."""
    for field, message in _faults(terms, template, is_partner=is_partner):
        raise BatchUnusable(str(message), field=field)
    return dataclasses.replace(terms, name=terms.name.strip(), cost_fen=_cost(terms, template) or 0)


def list_batch_faults(
    *, terms: BatchTerms, template_id: int | None, is_partner: bool
) -> tuple[dict[str, str], BatchTerms]:
    """Everything that is wrong with the terms, for a form: what to do, by field; and the terms with the cost filled
    in. Without a template, what is wrong whatever it is. Raises NoSuchTemplate and TemplateRetired."""
    if template_id is None:
        known = [*_word_faults(terms), *_number_faults(terms, is_partner=is_partner), *_span_faults(terms)]
        return {field: str(message) for field, message in reversed(known)}, terms
    template = CouponTemplate.objects.filter(pk=template_id).first()
    if template is None:
        raise NoSuchTemplate
    if template.state == TemplateState.RETIRED:
        raise TemplateRetired(field="template")
    faults: dict[str, str] = {}
    for field, message in _faults(terms, template, is_partner=is_partner):
        faults.setdefault(field, str(message))
    return faults, dataclasses.replace(terms, name=terms.name.strip(), cost_fen=_cost(terms, template) or 0)


def _cost(terms: BatchTerms, template: CouponTemplate) -> int | None:
    return worst_cost_fen(terms_of(template)) if terms.cost_fen is None else terms.cost_fen


def _faults(terms: BatchTerms, template: CouponTemplate, *, is_partner: bool) -> Faults:
    yield from _word_faults(terms)
    yield from _number_faults(terms, is_partner=is_partner)
    yield from _span_faults(terms)
    if template.valid_until is not None and terms.opens_at and terms.opens_at >= template.valid_until:
        yield "opens_at", _("券在开始发放前就已过期，请改发放时间或模板的有效期")
    cost = _cost(terms, template)
    if cost is not None and not _is_count(cost, 0, MOST_FEN):
        yield "cost_fen", _("单张最高成本请填写 0 到一百万元")
    if terms.budget_fen is not None:
        yield from _budget_faults(terms.budget_fen, cost, is_partner=is_partner)


def _span_faults(terms: BatchTerms) -> Faults:
    if terms.opens_at and terms.closes_at and terms.closes_at <= terms.opens_at:
        yield "closes_at", _("发放结束时间要晚于开始时间")


def _word_faults(terms: BatchTerms) -> Faults:
    if not 1 <= len(terms.name.strip()) <= 40 or "\0" in terms.name:
        yield "name", _("批次名称请填写 1 到 40 个字")
    if not terms.doors or set(terms.doors) - set(Door.values):
        yield "doors", _("请至少选择一个发放渠道")
    if terms.guide_quota_period not in QuotaPeriod.values:
        yield "guide_quota_period", _("请选择导购额度的周期")


def _number_faults(terms: BatchTerms, *, is_partner: bool) -> Faults:
    if not _is_count(terms.quota, 0 if is_partner else 1, MOST_COUPONS):
        yield "quota", _("总数量请填写 1 到一亿的整数")
    for field in ("member_limit", "member_daily_limit", "guide_quota"):
        if getattr(terms, field) is not None and not _is_count(getattr(terms, field), 1, MOST_COUPONS):
            yield field, _("请填写大于 0 的整数，不限就留空")


def _budget_faults(budget_fen: int, cost: int | None, *, is_partner: bool) -> Faults:
    if is_partner:
        yield "budget_fen", _("合作方券码的批次不设预算")
    if not _is_count(budget_fen, 0, 1_000 * MOST_FEN):
        yield "budget_fen", _("预算金额有误")
    if not cost:
        yield "cost_fen", _("设了预算就要填写单张最高成本：这张券最多优惠多少，系统算不出来")


def _is_count(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
