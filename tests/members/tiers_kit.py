"""What the tier tests share: a ladder, a member who buys, and the sums that must hold."""

import datetime as dt
from typing import Any

from core import clock
from core.actor import Actor
from core.models import StaffAccount
from members import selectors, services
from members.contracts import ActivityOutcome, TierCard, TierDecisions, TierTerms
from members.models import MemberTier, Tier, TierChange
from tests.cast import make_follower, openid_of

TILL = Actor.system("till")
MARKETING = Actor.system("marketing")


def noon(day: str) -> dt.datetime:
    """Twelve o'clock in Shanghai."""
    return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12), clock.SHANGHAI)


def make_tier(rank: int, name: str, **values: Any) -> TierCard:
    return services.create_tier(terms=TierTerms(rank=rank, name=name, **values), actor=MARKETING)


def make_ladder() -> tuple[TierCard, TierCard, TierCard]:
    """普通 for everybody, 银卡 from 1,000 yuan or 3 orders, 金卡 from 5,000 yuan."""
    return (
        make_tier(1, "普通"),
        make_tier(2, "银卡", spend_fen=100_000, order_count=3, multiplier_bp=12_000, upgrade_gift="silver"),
        make_tier(3, "金卡", spend_fen=500_000, multiplier_bp=15_000),
    )


def decide(**values: Any) -> None:
    """The chain's decisions about tiers."""
    services.change_tier_settings(decisions=TierDecisions(**values), actor=MARKETING)


def make_member(key: str = "tiers") -> int:
    """A prospect who follows the cast's account."""
    return make_follower("小美", openid_of(key)).id


def make_staff(name: str = "staff") -> Actor:
    return Actor.staff(StaffAccount.objects.create_user(name, is_staff=True).pk, name)


def buy(member_id: int, yuan: int, day: str, key: str | None = None, **values: Any) -> ActivityOutcome:
    """A sale (or, with a minus, a return) of that day, told of at noon of `on`, or of the day itself."""
    told_on = values.pop("on", day)
    numbers = {"order_count": 1 if yuan > 0 else -1, "growth": 0, **values}
    return services.record_activity(
        member_id=member_id,
        day=dt.date.fromisoformat(day),
        spend_fen=yuan * 100,
        source_key=key or f"sale:{day}:{yuan}",
        actor=TILL,
        at=noon(told_on),
        **numbers,
    )


def night(day: str) -> Any:
    """The nightly job of that Shanghai day."""
    return services.reassess_tiers(actor=TILL, at=noon(day))


def tier_name(member_id: int, day: str) -> str:
    tier = selectors.get_tier_standing(member_id, noon(day)).tier
    return "" if tier is None else tier.name


def until_of(member_id: int, day: str) -> str:
    until = selectors.get_tier_standing(member_id, noon(day)).until
    return "" if until is None else until.isoformat()


def check_rows() -> None:
    """Every row holds the higher of earned and given, and the last change of its member leads to it."""
    for row in MemberTier.objects.select_related("tier", "earned_tier", "manual_tier"):
        held = max(
            (tier for tier in (row.earned_tier, row.manual_tier) if tier), key=lambda t: t.rank, default=None
        )
        assert row.tier == held
        last = TierChange.objects.filter(member_id=row.member_id).order_by("-pk").first()
        assert (None if last is None else last.to_tier_id) == row.tier_id


def ladder_ids() -> list[int]:
    return list(Tier.objects.in_order().values_list("pk", flat=True))
