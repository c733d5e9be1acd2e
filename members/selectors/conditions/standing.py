"""Conditions about her tags, her tier and her points."""

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from members.models import Member, MemberStage, MemberTag, MemberTier, PointsAccount, PointsLot, Tag, Tier
from members.selectors.conditions.base import Condition, Values
from members.selectors.conditions.found import (
    Every,
    Found,
    Not,
    RowTest,
    SetTest,
    Some,
    row_within,
)
from members.selectors.conditions.parameters import (
    ANY_OR_ALL,
    Bounds,
    Choice,
    Parameter,
    Picks,
    Whole,
)
from members.selectors.tags import list_tags
from members.selectors.tier_rules import floor_of
from members.selectors.tiers import list_tiers

FAMILY: Final = _("标签、等级和积分")


def _tag_names(keys: Collection[Any]) -> Mapping[Any, str | Promise]:
    rows = Tag.objects.filter(pk__in=list(keys)).values_list("pk", "group__name", "name")
    return {pk: f"{group}·{name}" for pk, group, name in rows}


def _tags() -> list[tuple[Any, str | Promise]]:
    return [(tag.id, f"{tag.group.name}·{tag.name}") for tag in list_tags()]


def _tier_names(keys: Collection[Any]) -> Mapping[Any, str | Promise]:
    return dict(Tier.objects.filter(pk__in=list(keys)).values_list("pk", "name"))


def _tiers() -> list[tuple[Any, str | Promise]]:
    return [(tier.id, tier.name) for tier in list_tiers()]


def _on_her() -> QuerySet[MemberTag]:
    # What ran out is taken off by `expire_tags` within the minute: the row says it, and no clock.
    return MemberTag.objects.filter(removed_at__isnull=True)


class Tagged(Condition):
    """The chain's tags that are on her."""

    code, label, family, facts = "members.tag", _("有标签"), FAMILY, ("tags",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "tags": Picks(label=_("标签"), names=_tag_names, options=_tags),
        "match": Choice(label=_("怎样算"), options=ANY_OR_ALL, is_required=False),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        tags = values["tags"]
        rows = _on_her().filter(tag_id__in=tags)
        if values.get("match") == "all" and len(tags) > 1:
            return SetTest(rows, sums={"n": Count("pk")}, having=Q(n=len(tags)))
        return SetTest(rows)

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        names = _on_her().filter(member_id=member_id).order_by("tag__group__order", "tag__name")
        return _now("、").join(names.values_list("tag__name", flat=True)[:20])


class TierIs(Condition):
    """The tier she has; the lowest of the ladder may be everybody's who has none above it."""

    code, label, family, facts = "members.tier", _("会员等级"), FAMILY, ("tier", "profile")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "tiers": Picks(label=_("等级"), names=_tier_names, options=_tiers)
    }

    def found(self, values: Values, day: dt.date) -> Found:
        has = RowTest(MemberTier.objects.all(), Q(tier_id__in=values["tiers"]))
        floor = floor_of(list_tiers())
        if floor is None or floor.id not in values["tiers"]:
            return has
        member = RowTest(Member.objects.all(), Q(stage=MemberStage.MEMBER), "id")
        above = RowTest(MemberTier.objects.all(), Q(tier_id__isnull=False))
        return Some((has, Every((member, Not(above)))))

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        row = (
            MemberTier.objects.filter(member_id=member_id, tier__isnull=False).select_related("tier").first()
        )
        if row is not None and row.tier is not None:
            return row.tier.name
        floor = floor_of(list_tiers())
        is_member = Member.objects.filter(pk=member_id, stage=MemberStage.MEMBER).exists()
        return floor.name if floor is not None and is_member else ""


class PointsWithin(Condition):
    """The points she may spend."""

    code, label, family, facts = "members.points", _("可用积分"), FAMILY, ("points",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "points": Bounds(label=_("积分"), most=1_000_000_000, unit=_("分"))
    }

    def found(self, values: Values, day: dt.date) -> Found:
        return row_within(PointsAccount.objects.all(), "balance", values["points"])

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        balance = PointsAccount.objects.filter(member_id=member_id).values_list("balance", flat=True).first()
        return f"{balance or 0:,}"


class PointsExpiring(Condition):
    """So many of her points end within some days."""

    code, label, family, facts = "members.points_expiring", _("积分将过期"), FAMILY, ("points",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "days": Whole(label=_("几天内"), most=366, unit=_("天内")),
        "at_least": Whole(label=_("至少多少分"), least=1, most=1_000_000_000, unit=_("分"), lead=_("至少")),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        return SetTest(
            self._ending(values, day),
            "account__member_id",
            {"points": Sum("remaining")},
            Q(points__gte=values["at_least"]),
        )

    def moves_daily(self, values: Values) -> bool:
        return True

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        rows = self._ending(values, day).filter(account__member_id=member_id)
        return f"{rows.aggregate(points=Sum('remaining'))['points'] or 0:,}"

    @staticmethod
    def _ending(values: Values, day: dt.date) -> QuerySet[PointsLot]:
        # They end at the first instant of the day after their last.
        since = clock.day_bounds(day)[0]
        until = clock.day_bounds(day + dt.timedelta(days=values["days"]))[1]
        return PointsLot.objects.filled().filter(expires_at__gt=since, expires_at__lte=until)
