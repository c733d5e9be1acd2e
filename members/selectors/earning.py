"""The rules by which purchases earn, all of them by one statement."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from core.compiled import ask
from members.contracts import EarningRuleCard, MultiplierCard, TierCard, TierDecisions
from members.models import PointsSettings, Tier, TierSettings
from members.selectors.tiers import decisions_of, tier_card_from

Span = tuple[dt.date | None, dt.date | None]
_READ: Final = """
SELECT coalesce((SELECT json_agg(to_json(rule) ORDER BY rule.priority DESC, rule.id DESC)
                 FROM members_earningrule rule WHERE is_active), '[]'),
       coalesce((SELECT json_agg(to_json(rule) ORDER BY rule.id)
                 FROM members_multiplierrule rule WHERE is_active), '[]'),
       coalesce((SELECT json_agg(to_json(tier) ORDER BY tier.rank, tier.id) FROM members_tier tier), '[]'),
       (SELECT to_json(decided) FROM members_tiersettings decided WHERE id = 1),
       (SELECT to_json(decided) FROM members_pointssettings decided WHERE id = 1)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Earning:
    """What holds now: rules with their spans, the ladder from its lowest tier, tiers by id (retired ones too)."""

    rules: tuple[tuple[Span, EarningRuleCard], ...]
    multipliers: tuple[tuple[Span, MultiplierCard], ...]
    ladder: tuple[TierCard, ...]
    tiers: Mapping[int, TierCard]
    tier_decisions: TierDecisions
    expiry_months: int | None

    def rules_on(self, day: dt.date) -> list[EarningRuleCard]:
        return [card for span, card in self.rules if _holds(span, day)]

    def multipliers_on(self, day: dt.date) -> list[MultiplierCard]:
        return [card for span, card in self.multipliers if _holds(span, day)]

    def held(
        self, manual_id: int | None, manual_until: dt.date | None, earned_id: int | None, day: dt.date
    ) -> TierCard | None:
        """The higher of what staff gave and has not ended by that day, and what was earned."""
        given = manual_id if manual_until is not None and manual_until > day else None
        held = [self.tiers[tier_id] for tier_id in (given, earned_id) if tier_id is not None]
        return max(held, key=lambda tier: tier.rank, default=None)


def get_earning() -> Earning:
    """The rules, and the defaults of what nobody decided."""
    [(rules, multipliers, tiers, tier_decisions, points_decisions)] = ask(_READ, {})
    cards = [(tier_card_from(Tier(**row)), row["is_active"]) for row in tiers]
    points = PointsSettings(**(points_decisions or {}))
    return Earning(
        rules=tuple((_span(row), _rule(row)) for row in rules),
        multipliers=tuple(
            (_span(row), MultiplierCard(row["name"], row["kind"], row["multiplier_bp"]))
            for row in multipliers
        ),
        ladder=tuple(card for card, is_active in cards if is_active),
        tiers={card.id: card for card, _is_active in cards},
        tier_decisions=decisions_of(TierSettings(**(tier_decisions or {}))),
        expiry_months=points.expiry_months,
    )


def _rule(row: Mapping[str, Any]) -> EarningRuleCard:
    return EarningRuleCard(
        row["id"], row["name"], row["category"], row["fen_per_point"], row["multiplier_bp"], row["priority"]
    )


def _span(row: Mapping[str, Any]) -> Span:
    since, until = row["valid_from"], row["valid_until"]
    return (
        None if since is None else dt.date.fromisoformat(since),
        None if until is None else dt.date.fromisoformat(until),
    )


def _holds(span: Span, day: dt.date) -> bool:
    since, until = span
    return (since is None or since <= day) and (until is None or until > day)


__all__: Sequence[str] = ("Earning", "get_earning")
