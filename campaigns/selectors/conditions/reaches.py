"""Conditions about what a member was sent, and whether she read or opened it."""

import abc
import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Final

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS, TOPICS
from campaigns.models import Campaign, CampaignMember, Importance, InboxMessage, Reach, ReachState
from core import clock
from members.selectors.conditions import (
    FOUND,
    Choices,
    Condition,
    Found,
    Parameter,
    Picks,
    SetTest,
    Values,
    Whole,
    Window,
    instants_of,
)

FAMILY: Final = _("触达")
_TOPICS: Final = Choices(
    label=_("事项（不选为任何事项）"),
    options=tuple((topic.code, topic.label) for topic in TOPICS.values()),
    is_required=False,
)
# Which messages that went out are meant.
OF_SENT: Final[Mapping[str, Parameter]] = {
    "when": Window(label=_("发送时间"), is_required=False),
    "topics": _TOPICS,
    "channels": Choices(
        label=_("通道（不选为任何通道）"), options=tuple(CHANNEL_LABELS.items()), is_required=False
    ),
    "importances": Choices(
        label=_("重要程度（不选为任何程度）"),
        options=tuple((one.value, one.label) for one in Importance),
        is_required=False,
    ),
}
_LEAST: Final = Whole(
    label=_("至少几条"), least=1, most=1_000, unit=_("条"), lead=_("至少"), is_required=False
)


class _OfMessages(Condition):
    family = FAMILY
    facts = ("reaches",)

    @abc.abstractmethod
    def rows(self, values: Values, day: dt.date) -> QuerySet[Any]:
        """What is counted."""

    def found(self, values: Values, day: dt.date) -> Found:
        rows, least = self.rows(values, day), values.get("at_least") or 1
        return (
            SetTest(rows) if least == 1 else SetTest(rows, "member_id", {"n": Count("pk")}, Q(n__gte=least))
        )

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        return _now("%(n)s 条") % {"n": self.rows(values, day).filter(member_id=member_id).count()}


def _asked(values: Values, day: dt.date, name: str) -> Q:
    since, until = instants_of(values.get("when"), day)
    wanted = Q(**{f"{name}__isnull": False})
    if since is not None:
        wanted &= Q(**{f"{name}__gte": since})
    if until is not None:
        wanted &= Q(**{f"{name}__lt": until})
    return wanted & Q(topic__in=values["topics"]) if values.get("topics") else wanted


def sent_rows(values: Values, day: dt.date) -> QuerySet[Reach]:
    """The messages that went out and that these values of OF_SENT mean."""
    wanted = _asked(values, day, "sent_at") & Q(state__in=[ReachState.SENT, ReachState.DELIVERED])
    if values.get("channels"):
        wanted &= Q(channel__in=values["channels"])
    if values.get("importances"):
        wanted &= Q(importance__in=values["importances"])
    return Reach.objects.filter(wanted)


class Reached(_OfMessages):
    """Messages that went out to her, over any channel or these, of any importance or these."""

    code, label = "campaigns.reached", _("收到过通知")
    parameters: ClassVar[Mapping[str, Parameter]] = {**OF_SENT, "at_least": _LEAST}

    def rows(self, values: Values, day: dt.date) -> QuerySet[Any]:
        return sent_rows(values, day)


class HasRead(_OfMessages):
    """Messages in her inbox that she opened."""

    code, label = "campaigns.read", _("读过站内信")
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("阅读时间"), is_required=False),
        "topics": _TOPICS,
        "at_least": _LEAST,
    }

    def rows(self, values: Values, day: dt.date) -> QuerySet[Any]:
        return InboxMessage.objects.filter(_asked(values, day, "read_at"))


def _campaign_names(keys: Collection[Any]) -> Mapping[Any, str]:
    return dict(Campaign.objects.filter(public_id__in=list(keys)).values_list("public_id", "name"))


def find_campaigns(text: str) -> list[tuple[str, str]]:
    """(public id, name with its day) of campaigns whose name has the text, the newest first."""
    rows = Campaign.objects.filter(name__icontains=text).order_by("-pk")
    return [
        (public_id, f"{name}（{clock.business_day(made)}）")
        for public_id, name, made in rows.values_list("public_id", "name", "created_at")[:FOUND]
    ]


class Clicked(_OfMessages):
    """Runs of campaigns of which she opened what her message led to."""

    code, label, facts = "campaigns.clicked", _("点开过活动"), ("clicks",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "when": Window(label=_("点开时间"), is_required=False),
        "campaigns": Picks(
            label=_("活动（不选为任何活动）"),
            names=_campaign_names,
            find=find_campaigns,
            key=str,
            is_required=False,
        ),
        "at_least": dataclasses.replace(_LEAST, label=_("至少几次活动"), unit=_("次")),
    }

    def rows(self, values: Values, day: dt.date) -> QuerySet[Any]:
        wanted = _asked({"when": values.get("when")}, day, "clicked_at")
        if values.get("campaigns"):
            wanted &= Q(run__campaign__public_id__in=values["campaigns"])
        return CampaignMember.objects.filter(wanted)

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        count = self.rows(values, day).filter(member_id=member_id).count()
        return _now("%(n)s 次") % {"n": count} if count else ""
