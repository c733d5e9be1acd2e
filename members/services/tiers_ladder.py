"""The ladder and the decisions about tiers, as marketing changes them."""

import dataclasses
import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, clock
from core.actor import Actor
from core.models import changed_fields
from members.contracts import TierCard, TierDecisions, TierTerms
from members.errors import (
    NoSuchTier,
    TierInUse,
    TierLadderBroken,
    TierNameTaken,
    TierRankTaken,
    TierSettingsUnusable,
    TierUnusable,
)
from members.models import MemberTier, Tier, TierDescent, TierKeeping, TierPeriod, TierSettings
from members.selectors.tier_rules import MEASURE_WORDS, MEASURES
from members.selectors.tiers import count_by_tier, tier_card_from

_COLOR: Final = re.compile(r"#[0-9A-F]{6}")
_GIFT: Final = re.compile(r"[A-Za-z0-9_-]{0,40}")
_MOST_RUNGS: Final = 20
_MOST_LINES: Final = 10
_LINE: Final = 40
_MOST_FEN: Final = 10**12
_MOST_COUNT: Final = 10**9


def create_tier(*, terms: TierTerms, actor: Actor, at: dt.datetime | None = None) -> TierCard:
    """One more rung. Members get it when they next do something, or by a reassessment.

    Refuses unusable words and numbers, a name or rank that is taken, and a ladder on which something higher would be
    easier to reach than something lower.
    """
    at = at or clock.now()
    terms = _usable(terms)
    with transaction.atomic():
        settings = _lock_ladder()
        ladder = _ladder()
        if len(ladder) >= _MOST_RUNGS:
            raise TierUnusable(_("最多 %(n)s 个等级") % {"n": _MOST_RUNGS})
        _refuse_misfit(terms, ladder)
        tier = Tier.objects.create(**dataclasses.asdict(terms))
        _note_change(settings, tier, "members.tier_created", actor=actor, at=at)
        return tier_card_from(tier)


def change_tier(*, tier_id: int, terms: TierTerms, actor: Actor, at: dt.datetime | None = None) -> TierCard:
    """The rung has these terms. Who has it keeps it until her time ends or a reassessment says otherwise.

    Refuses as `create_tier` does, and a tier that does not exist.
    """
    at = at or clock.now()
    terms = _usable(terms)
    with transaction.atomic():
        settings = _lock_ladder()
        tier = _lock_tier(tier_id)
        others = [rung for rung in _ladder() if rung.pk != tier.pk]
        _refuse_misfit(terms, others if tier.is_active else [], tier_id=tier.pk)
        changed = changed_fields(tier, **dataclasses.asdict(terms))
        if changed:
            tier.save(update_fields=changed)
            is_rule = bool({"rank", "mode", "spend_fen", "order_count", "growth"} & set(changed))
            _note_change(
                settings,
                tier,
                "members.tier_changed_terms",
                actor=actor,
                at=at,
                is_rule=is_rule,
                fields=changed,
            )
        return tier_card_from(tier)


def retire_tier(*, tier_id: int, actor: Actor, at: dt.datetime | None = None) -> TierCard:
    """It is no rung of the ladder any more. Refuses while a member has it."""
    at = at or clock.now()
    with transaction.atomic():
        settings = _lock_ladder()
        tier = _lock_tier(tier_id)
        if tier.is_active:
            _refuse_in_use(tier)
            tier.is_active = False
            tier.save(update_fields=["is_active"])
            _note_change(settings, tier, "members.tier_retired", actor=actor, at=at)
        return tier_card_from(tier)


def restore_tier(*, tier_id: int, actor: Actor, at: dt.datetime | None = None) -> TierCard:
    """A retired rung is back. Refuses when it does not fit the ladder of today."""
    at = at or clock.now()
    with transaction.atomic():
        settings = _lock_ladder()
        tier = _lock_tier(tier_id)
        if not tier.is_active:
            _refuse_misfit(_terms_of(tier), _ladder(), tier_id=tier.pk)
            tier.is_active = True
            tier.save(update_fields=["is_active"])
            _note_change(settings, tier, "members.tier_restored", actor=actor, at=at)
        return tier_card_from(tier)


def change_tier_settings(
    *, decisions: TierDecisions, actor: Actor, at: dt.datetime | None = None
) -> TierDecisions:
    """The chain decides so about periods, keeping, grace, descent and notice. Ends that were promised stay.

    Refuses numbers out of range.
    """
    at = at or clock.now()
    _refuse_settings(decisions)
    with transaction.atomic():
        settings = _lock_ladder()
        changed = changed_fields(settings, **dataclasses.asdict(decisions))
        if changed:
            if {"period", "period_months"} & set(changed):
                settings.rules_changed_at = at
                changed.append("rules_changed_at")
            settings.save(update_fields=changed)
            audit.record(
                action="members.tier_settings_changed", subject=settings, actor=actor, at=at, fields=changed
            )
    return decisions


def _lock_ladder() -> TierSettings:
    """The row that every change of the ladder takes first, so that two of them are checked one after the other."""
    TierSettings.objects.get_or_create(pk=1)
    return TierSettings.objects.lock(1)


def _lock_tier(tier_id: int) -> Tier:
    rows = Tier.objects.lock_all([tier_id])
    if not rows:
        raise NoSuchTier
    return rows[0]


def _ladder() -> list[Tier]:
    return list(Tier.objects.active().in_order())


def _note_change(
    settings: TierSettings,
    tier: Tier,
    action: str,
    *,
    actor: Actor,
    at: dt.datetime,
    is_rule: bool = True,
    **details: object,
) -> None:
    if is_rule:
        settings.rules_changed_at = at
        settings.save(update_fields=["rules_changed_at"])
    audit.record(action=action, subject=tier, actor=actor, at=at, **details)


def _terms_of(tier: Tier) -> TierTerms:
    return TierTerms(**{field.name: getattr(tier, field.name) for field in dataclasses.fields(TierTerms)})


def _usable(terms: TierTerms) -> TierTerms:
    """The terms without stray blanks. Raises TierUnusable with a sentence about the first field that is wrong."""
    name = " ".join("".join(sign for sign in terms.name if sign.isprintable()).split())
    if not 1 <= len(name) <= 20:
        raise TierUnusable(_("名称请填写 1 到 20 个字"), field="name")
    if not 1 <= terms.rank <= 999:
        raise TierUnusable(_("级别请填写 1 到 999 的整数"), field="rank")
    color = terms.color.strip().upper()
    if not _COLOR.fullmatch(color):
        raise TierUnusable(_("颜色请用 # 加 6 位，例如 #C9A15A"), field="color")
    if terms.mode not in ("any", "all"):
        raise TierUnusable(field="mode")
    if not 10_000 <= terms.multiplier_bp <= 100_000:
        raise TierUnusable(_("积分倍数请填写 1 到 10"), field="multiplier_bp")
    for _measure, field in MEASURES:
        need = getattr(terms, field)
        most = _MOST_FEN if field == "spend_fen" else _MOST_COUNT
        if need is not None and not 1 <= need <= most:
            raise TierUnusable(_("请填写大于 0 的数，不要求就留空"), field=field)
    for field in ("birthday_gift", "upgrade_gift"):
        if not _GIFT.fullmatch(getattr(terms, field)):
            raise TierUnusable(_("编号只能用字母、数字、- 和 _，最长 40 位"), field=field)
    return dataclasses.replace(terms, name=name, color=color, benefits=_usable_lines(terms.benefits))


def _usable_lines(benefits: str) -> str:
    lines = [" ".join(line.split()) for line in benefits.replace("\0", "").splitlines()]
    lines = [line for line in lines if line]
    if len(lines) > _MOST_LINES or any(len(line) > _LINE for line in lines):
        raise TierUnusable(
            _("会员权益最多 %(n)s 条，每条最多 %(m)s 个字") % {"n": _MOST_LINES, "m": _LINE}, field="benefits"
        )
    return "\n".join(lines)


def _refuse_misfit(terms: TierTerms, others: Sequence[Tier], tier_id: int | None = None) -> None:
    """The terms would break the ladder that the others make."""
    namesakes = Tier.objects.filter(name=terms.name).values_list("pk", flat=True)
    if set(namesakes) - {tier_id}:
        raise TierNameTaken(field="name")
    if any(other.rank == terms.rank for other in others):
        raise TierRankTaken(field="rank")
    for other in others:
        here, there = (terms, _terms_of(other))
        lower, higher = sorted((here, there), key=lambda rung: rung.rank)
        _refuse_inverted(lower, higher)


def _refuse_inverted(lower: TierTerms, higher: TierTerms) -> None:
    """Of two rungs the higher asks for something, and for more wherever both ask for the same measure."""
    if all(getattr(higher, field) is None for _measure, field in MEASURES):
        raise TierLadderBroken(
            _("「%(higher)s」比「%(lower)s」高，要填写达到条件；只有最低的等级可以不设条件")
            % {"higher": higher.name, "lower": lower.name}
        )
    for measure, field in MEASURES:
        low, high = getattr(lower, field), getattr(higher, field)
        if low is not None and high is not None and high <= low:
            raise TierLadderBroken(
                _("「%(higher)s」比「%(lower)s」高，%(measure)s也要比它高")
                % {"higher": higher.name, "lower": lower.name, "measure": MEASURE_WORDS[measure]},
                field=field,
            )


def _refuse_in_use(tier: Tier) -> None:
    keys = ("tier", "earned_tier", "manual_tier")
    is_held = any(MemberTier.objects.filter(**{key: tier}).exists() for key in keys)
    count = count_by_tier().get(tier.pk, 0)
    if is_held or count:
        raise TierInUse(_("还有 %(n)s 位会员是这个等级，暂时不能停用") % {"n": f"{count:,}"})


def _refuse_settings(decisions: TierDecisions) -> None:
    if (
        decisions.period not in TierPeriod.values
        or decisions.keeping not in TierKeeping.values
        or decisions.descent not in TierDescent.values
    ):
        raise TierSettingsUnusable
    if not 1 <= decisions.period_months <= 36:
        raise TierSettingsUnusable(_("请填写 1 到 36 个月"), field="period_months")
    if not 0 <= decisions.grace_days <= 180:
        raise TierSettingsUnusable(_("宽限天数请填写 0 到 180"), field="grace_days")
    if not 0 <= decisions.notice_days <= 180:
        raise TierSettingsUnusable(_("提醒天数请填写 0 到 180"), field="notice_days")
