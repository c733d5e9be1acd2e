"""Her tier, and what the next one needs."""

from typing import Any, Final

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import NotFound
from members import selectors as member_selectors
from members.contracts import TierCard, TierGoal
from miniapp.api import MemberView
from miniapp.schema import documented

MEASURES = ("spend", "orders", "growth")
_HISTORY: Final = 20
_SILVER = {"name": "银卡", "color": "#8FA3AD"}


class TierOut(serializers.Serializer[Any]):
    """One tier."""

    name = serializers.CharField()
    color = serializers.CharField(help_text="#RRGGBB")


class GoalOut(serializers.Serializer[Any]):
    """One measure of the next tier. Spend is in fen."""

    measure = serializers.ChoiceField(choices=MEASURES)
    title = serializers.CharField()
    have = serializers.IntegerField()
    need = serializers.IntegerField()
    missing = serializers.IntegerField()


class NextTierOut(TierOut):
    """The tier above hers, and how far it is."""

    needs = serializers.ChoiceField(choices=("any", "all"), help_text="whether one goal is enough")
    goals = GoalOut(many=True)


class StandingOut(serializers.Serializer[Any]):
    """Where she stands."""

    tier = TierOut(allow_null=True, help_text="null: none yet")
    since = serializers.DateField(allow_null=True)
    until = serializers.DateField(
        allow_null=True, help_text="the day from which it holds no more; null: no end"
    )
    is_manual = serializers.BooleanField(help_text="given by staff")
    benefits = serializers.ListField(child=serializers.CharField())
    next = NextTierOut(allow_null=True, help_text="null: hers is the highest")


class TierChangeOut(serializers.Serializer[Any]):
    """One change of her tier."""

    from_tier = TierOut(allow_null=True)
    to_tier = TierOut(allow_null=True)
    is_upgrade = serializers.BooleanField()
    cause = serializers.CharField()
    cause_label = serializers.CharField()
    until = serializers.DateField(allow_null=True)
    at = serializers.DateTimeField()


class TierHistoryOut(serializers.Serializer[Any]):
    """The last changes, newest first."""

    changes = TierChangeOut(many=True)


def show_tier(tier: TierCard | None) -> dict[str, Any] | None:
    """The answer's form of a tier."""
    return None if tier is None else {"name": tier.name, "color": tier.color}


def show_next(goals: tuple[TierGoal, ...]) -> dict[str, Any] | None:
    """The answer's form of the tier above hers."""
    if not goals:
        return None
    above = goals[0].next_tier
    return {
        "name": above.name,
        "color": above.color,
        "needs": above.mode,
        "goals": [
            {
                "measure": goal.measure,
                "title": goal.measure_label,
                "have": goal.have,
                "need": goal.need,
                "missing": max(0, goal.need - goal.have),
            }
            for goal in goals
        ],
    }


class TierView(MemberView):
    """`GET tier`"""

    @documented(
        summary="Her tier / 我的等级",
        answer=StandingOut,
        example={
            "tier": _SILVER,
            "since": "2026-03-01",
            "until": "2027-03-01",
            "is_manual": False,
            "benefits": ["免费熨烫", "生日双倍积分"],
            "next": {
                "name": "金卡",
                "color": "#C9A227",
                "needs": "any",
                "goals": [
                    {
                        "measure": "spend",
                        "title": "消费额",
                        "have": 321000,
                        "need": 500000,
                        "missing": 179000,
                    }
                ],
            },
        },
        refuses=(NotFound,),
    )
    def get(self, request: Request) -> Response:
        standing = member_selectors.get_tier_standing(self.member_id)
        return Response(
            StandingOut(
                {
                    "tier": show_tier(standing.tier),
                    "since": standing.since,
                    "until": standing.until,
                    "is_manual": standing.is_manual,
                    "benefits": standing.benefits,
                    "next": show_next(standing.progress),
                }
            ).data
        )


class TierHistoryView(MemberView):
    """`GET tier/history`"""

    @documented(
        summary="How she came to her tier / 等级变动",
        words="The last twenty changes.",
        answer=TierHistoryOut,
        example={
            "changes": [
                {
                    "from_tier": {"name": "普通会员", "color": "#7A8B84"},
                    "to_tier": _SILVER,
                    "is_upgrade": True,
                    "cause": "reached",
                    "cause_label": "达到条件",
                    "until": "2027-03-01",
                    "at": "2026-03-01T15:20:00+08:00",
                }
            ]
        },
    )
    def get(self, request: Request) -> Response:
        changes = [
            {
                "from_tier": show_tier(line.from_tier),
                "to_tier": show_tier(line.to_tier),
                "is_upgrade": line.is_upgrade,
                "cause": line.cause,
                "cause_label": line.cause_label,
                "until": line.until,
                "at": line.at,
            }
            for line in member_selectors.list_tier_history(self.member_id)[:_HISTORY]
        ]
        return Response(TierHistoryOut({"changes": changes}).data)
