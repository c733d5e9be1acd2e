"""Whose a sale is: the rules, and how an amount is divided. Pure: no row, no clock."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Final

from core.shares import split
from guides.contracts import GuidePlace, StorePlace
from sales.contracts import Share, ShareRoleName

WHOLE_BP: Final = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class RuleTerms:
    """A rule as `decide` needs it. Empty conditions hold always; both days belong to the span."""

    id: int
    position: int
    name: str
    region_ids: frozenset[int]
    dealer_ids: frozenset[int]
    channels: frozenset[str]
    starts_on: dt.date | None
    ends_on: dt.date | None
    parts: tuple[tuple[ShareRoleName, int], ...]  # in basis points, those above nothing
    crosses_owners: bool = False
    brands: frozenset[str] = frozenset()  # fits when all goods are of these


@dataclasses.dataclass(frozen=True, slots=True)
class Situation:
    """All that rules look at."""

    store: StorePlace
    channel: str
    business_on: dt.date
    serving: GuidePlace | None
    exclusive: GuidePlace | None
    sharing: GuidePlace | None
    brands: frozenset[str] = frozenset()  # of its goods; "" for goods without one


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """The parts of a sale and what they rest on; no rule: none fitted."""

    rule_id: int | None
    rule_words: str
    shares: tuple[Share, ...]


def decide(*, rules: Sequence[RuleTerms], situation: Situation) -> Decision:
    """The first rule that fits, in the given order. When none does: the serving guide, else the exclusive guide,
    else the store alone.

    Dealers own their stores' sales: an exclusive or sharing guide whose store is another owner's is not there, unless
    the rule crosses owners. A guide who has two roles has one part, the sum, under the first of them. The parts of the
    serving guide and of the store count in the store that sold; the others in the store where that guide works.
    """
    for rule in rules:
        if _fits(rule, situation):
            return Decision(rule.id, f"{rule.position} {rule.name}"[:60], _shares(rule.parts, situation))
    role: ShareRoleName = "store"
    if situation.serving is not None:
        role = "serving"
    elif _is_there("exclusive", situation, crosses_owners=False):
        role = "exclusive"
    return Decision(None, "", _shares(((role, WHOLE_BP),), situation))


def split_among_rests(*, amount: int, rests: Sequence[int]) -> list[int]:
    """As `split`, weighed by what each has left and never more than that: the last one takes the rest exactly."""
    # A part is at most its rest rounded up only where the amount is the whole, and then nothing is rounded.
    return split(amount=amount, weights=rests)


def _fits(rule: RuleTerms, situation: Situation) -> bool:
    if rule.region_ids and rule.region_ids.isdisjoint(situation.store.region_ids):
        return False
    if rule.dealer_ids and situation.store.dealer_id not in rule.dealer_ids:
        return False
    if rule.channels and situation.channel not in rule.channels:
        return False
    if rule.brands and not (situation.brands and situation.brands <= rule.brands):
        return False
    if rule.starts_on is not None and situation.business_on < rule.starts_on:
        return False
    if rule.ends_on is not None and situation.business_on > rule.ends_on:
        return False
    return all(
        role == "store" or _is_there(role, situation, crosses_owners=rule.crosses_owners)
        for role, _bp in rule.parts
    )


def _is_there(role: ShareRoleName, situation: Situation, *, crosses_owners: bool) -> bool:
    """The serving guide's part counts in the store that sold, the others' where they work: only these may cross."""
    guide = _guide(role, situation)
    if guide is None:
        return False
    return role == "serving" or crosses_owners or guide.dealer_id == situation.store.dealer_id


def _guide(role: ShareRoleName, situation: Situation) -> GuidePlace | None:
    if role == "serving":
        return situation.serving
    return situation.exclusive if role == "exclusive" else situation.sharing


def _shares(parts: Sequence[tuple[ShareRoleName, int]], situation: Situation) -> tuple[Share, ...]:
    shares: dict[int | None, Share] = {}
    for role, part in parts:
        guide = None if role == "store" else _guide(role, situation)
        guide_id = None if guide is None else guide.guide_id
        store_id = situation.store.store_id
        if guide is not None and role != "serving":
            store_id = guide.store_id
        known = shares.get(guide_id)
        if known is None:
            shares[guide_id] = Share(role, guide_id, store_id, part)
        else:
            shares[guide_id] = dataclasses.replace(known, share_bp=known.share_bp + part)
    return tuple(shares.values())
