"""Standing rules as staff decide them: made, changed, switched on and off."""

import dataclasses
import datetime as dt
from typing import Any, Final

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.actor import Actor
from core.errors import NotFound
from core.models import changed_fields
from coupons.contracts import StandingRuleCard, StandingTerms
from coupons.errors import (
    BatchEnded,
    BatchNotOpen,
    NoSuchBatch,
    NoSuchRule,
    RuleSwitchedOn,
    RuleUnusable,
    WrongDoor,
)
from coupons.models import (
    BatchState,
    CouponBatch,
    Door,
    IssueState,
    Occasion,
    RuleState,
    StandingIssue,
    StandingRule,
)
from coupons.selectors.standing import rule_card_of
from guides import selectors as guide_selectors
from members import selectors as member_selectors

MOST_DAYS_BEFORE: Final = 60
MOST_FEN: Final = 1_000_000_000
MOST_CATEGORIES: Final = 50
# What may be tried again once there are coupons again.
WANT_OF_COUPONS: Final = ("coupons.batch_sold_out", "coupons.budget_spent")
_OF_A_TIER: Final = {Occasion.TIER_REACHED, Occasion.TIER_MONTHLY}


def create_standing_rule(
    *, terms: StandingTerms, actor: Actor, at: dt.datetime | None = None
) -> StandingRuleCard:
    """The rule is there and off. Refuses terms that make no sense, with the field and what to do."""
    at = at or clock.now()
    with transaction.atomic():
        rule = StandingRule.objects.create(created_at=at, **_columns(_usable(terms)))
        audit.record(action="coupons.rule_created", subject=rule, actor=actor, at=at)
    return rule_card_of(rule)


def change_standing_rule(
    *, rule_id: int, terms: StandingTerms, actor: Actor, at: dt.datetime | None = None
) -> StandingRuleCard:
    """The rule has these terms. Refuses another occasion, tier or batch while it is on, and what
    `create_standing_rule` refuses."""
    at = at or clock.now()
    with transaction.atomic():
        rule = _lock(rule_id)
        changed = changed_fields(rule, **_columns(_usable(terms)))
        if rule.state == RuleState.ON and {"occasion", "tier_id", "batch_id"} & set(changed):
            raise RuleSwitchedOn
        if changed:
            rule.save(update_fields=changed)
            audit.record(action="coupons.rule_changed", subject=rule, actor=actor, at=at, fields=changed)
    return rule_card_of(rule)


def switch_rule_on(*, rule_id: int, actor: Actor, at: dt.datetime | None = None) -> StandingRuleCard:
    """From now on the rule gives; what happened before is none of its business. Those who waited when it was switched
    off have theirs. Again changes nothing.

    Refuses a batch that is not open to the system's door, not opened yet, or over.
    """
    at = at or clock.now()
    with transaction.atomic():
        rule = _lock(rule_id)
        if rule.state == RuleState.ON:
            return rule_card_of(rule)
        batch = CouponBatch.objects.get(pk=rule.batch_id)
        if Door.SYSTEM not in batch.doors:
            raise WrongDoor(str(_("这批券没有勾选「系统发放」，请先在批次里勾上")))
        if batch.state == BatchState.DRAFT:
            raise BatchNotOpen
        if batch.state == BatchState.ENDED:
            raise BatchEnded
        rule.state, rule.switched_on_at, rule.looked_at = RuleState.ON, at, None
        rule.save(update_fields=["state", "switched_on_at", "looked_at"])
        audit.record(action="coupons.rule_switched_on", subject=rule, actor=actor, at=at)
    return rule_card_of(rule)


def switch_rule_off(*, rule_id: int, actor: Actor, at: dt.datetime | None = None) -> StandingRuleCard:
    """The rule gives nothing more and notes nothing more; who waits goes on waiting. Again changes nothing."""
    at = at or clock.now()
    with transaction.atomic():
        rule = _lock(rule_id)
        if rule.state == RuleState.ON:
            rule.state = RuleState.OFF
            rule.save(update_fields=["state"])
            audit.record(action="coupons.rule_switched_off", subject=rule, actor=actor, at=at)
    return rule_card_of(rule)


def retry_standing_issues(*, rule_id: int, actor: Actor, at: dt.datetime | None = None) -> int:
    """Members whom the rule could give nothing for want of coupons wait again; how many."""
    at = at or clock.now()
    with transaction.atomic():
        rule = _lock(rule_id)
        missed = StandingIssue.objects.filter(rule=rule, state=IssueState.REFUSED, reason__in=WANT_OF_COUPONS)
        count = missed.update(state=IssueState.WAITING, reason="", settled_at=None, round=None)
        if count:
            audit.record(action="coupons.rule_retried", subject=rule, actor=actor, at=at, member_count=count)
    return count


def _lock(rule_id: int) -> StandingRule:
    try:
        return StandingRule.objects.lock(rule_id)
    except NotFound:
        raise NoSuchRule from None


def _usable(terms: StandingTerms) -> StandingTerms:
    """The terms, tidied. Raises RuleUnusable."""
    name = terms.name.strip()
    if not 1 <= len(name) <= 40 or "\0" in name:
        _refuse("name", _("规则名称请填写 1 到 40 个字"))
    if terms.occasion not in Occasion.values:
        _refuse("occasion", _("请选择什么时候发"))
    if not CouponBatch.objects.filter(pk=terms.batch_id).exists():
        raise NoSuchBatch(field="batch_id")
    if terms.starts_at and terms.ends_at and terms.ends_at <= terms.starts_at:
        _refuse("ends_at", _("结束时间要晚于开始时间"))
    if not 0 <= terms.days_before <= MOST_DAYS_BEFORE:
        _refuse("days_before", _("提前天数请填写 0 到 60"))
    if terms.days_before and terms.occasion != Occasion.BIRTHDAY.value:
        _refuse("days_before", _("只有生日券可以提前"))
    _check_tiers(terms)
    terms = _usable_purchase(terms)
    stores, regions, _dealers = guide_selectors.known_place_ids(
        store_ids=terms.store_ids, region_ids=terms.region_ids, dealer_ids=()
    )
    if set(terms.store_ids) - stores:
        _refuse("store_ids", _("有门店不存在，请重新选择"))
    if set(terms.region_ids) - regions:
        _refuse("region_ids", _("有区域不存在，请重新选择"))
    if set(terms.sources) - {choice.value for choice in member_selectors.list_sources()}:
        _refuse("sources", _("有会员来源不存在，请重新选择"))
    return dataclasses.replace(terms, name=name)


def _usable_purchase(terms: StandingTerms) -> StandingTerms:
    codes = tuple(dict.fromkeys(code.strip() for code in terms.category_codes if code.strip()))
    if terms.occasion != Occasion.PURCHASE.value and (terms.least_fen or terms.is_first_only or codes):
        _refuse("least_fen", _("只有「购物之后」的规则可以填写金额、首单和类目"))
    if not 0 <= terms.least_fen <= MOST_FEN:
        _refuse("least_fen", _("金额请填写 0 到 1000 万元"))
    if len(codes) > MOST_CATEGORIES or any(len(code) > 40 or "\0" in code for code in codes):
        _refuse("category_codes", _("类目编码最多 50 个，每个不超过 40 个字"))
    return dataclasses.replace(terms, category_codes=codes)


def _check_tiers(terms: StandingTerms) -> None:
    known = {tier.id for tier in member_selectors.list_tiers()}
    if terms.occasion in _OF_A_TIER and terms.tier_id not in known:
        _refuse("tier_id", _("请选择等级"))
    if terms.occasion not in _OF_A_TIER and terms.tier_id is not None:
        _refuse("tier_id", _("只有等级类的规则需要选择等级"))
    if set(terms.tier_ids) - known:
        _refuse("tier_ids", _("有会员等级不存在，请重新选择"))


def _refuse(field: str, message: str | Promise) -> None:
    raise RuleUnusable(str(message), field=field)


def _columns(terms: StandingTerms) -> dict[str, Any]:
    values = {field.name: getattr(terms, field.name) for field in dataclasses.fields(terms)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
