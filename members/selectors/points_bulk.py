"""What the sales of many members earn, with rules, birthdays and tiers looked up together."""

import datetime as dt
from collections.abc import Sequence
from functools import cache

from core import clock
from members.contracts import EarningLine
from members.models import Member, MemberStage, MemberTier, Tier
from members.selectors.points import list_earning_rules, list_points_multipliers
from members.selectors.points_quote import ONE, quote_earned_points
from members.selectors.tier_rules import floor_of
from members.selectors.tiers import higher_tier, list_tiers


def quote_points_in_bulk(asked: Sequence[tuple[int, Sequence[EarningLine], dt.datetime]]) -> list[int]:
    """The points of each sale (member, lines, moment), as `quote_member_points` quotes it; in order.

    The members are living rows; one that is not there earns by the rules alone.
    """
    ids = {member_id for member_id, _lines, _at in asked}
    people = {pk: (born, stage) for pk, born, stage in _people(ids)}
    standings = {row[0]: row[1:] for row in _standings(ids)}
    tiers = {tier.pk: tier for tier in Tier.objects.all()} if standings else {}
    floor = floor_of(list_tiers())
    rules, multipliers = cache(list_earning_rules), cache(list_points_multipliers)
    points = []
    for member_id, lines, at in asked:
        on = clock.business_day(at)
        born, stage = people.get(member_id, (None, ""))
        factor = floor.multiplier_bp if floor is not None and stage == MemberStage.MEMBER else ONE
        if member_id in standings:
            earned, manual, manual_until = standings[member_id]
            held = higher_tier(tiers.get(manual or 0), manual_until, tiers.get(earned or 0), on)
            factor = factor if held is None else held.multiplier_bp
        quoted = quote_earned_points(
            lines=lines,
            rules=rules(on),
            multipliers=multipliers(on),
            on=on,
            birthday=born,
            tier_multiplier_bp=factor,
        )
        points.append(quoted.points)
    return points


def _people(ids: set[int]) -> list[tuple[int, dt.date | None, str]]:
    return list(Member.objects.filter(pk__any_of=ids).values_list("pk", "birthday", "stage"))


def _standings(ids: set[int]) -> list[tuple[int, int | None, int | None, dt.date | None]]:
    rows = MemberTier.objects.filter(member_id__any_of=ids)
    return list(rows.values_list("member_id", "earned_tier_id", "manual_tier_id", "manual_until"))
