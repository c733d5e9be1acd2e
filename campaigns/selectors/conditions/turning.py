"""The condition of who turned away after we wrote to her, as the communication matrix counts it."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import TruncDate
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.models import Reach, ReachBar
from campaigns.selectors.conditions.reaches import FAMILY, OF_SENT, sent_rows
from core.clock import SHANGHAI
from members import selectors as member_selectors
from members.selectors.conditions import (
    Choices,
    Condition,
    Found,
    Parameter,
    SetTest,
    Some,
    Values,
    instants_of,
)

# So many days after the last message of the time she may still have turned away because of it.
AFTERWARDS: Final = dt.timedelta(days=7)


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """One way to turn away: the rows that tell of it, the paths in them to the member and to the instant, and the fact they
    are noted by."""

    label: str | Promise
    rows: Callable[[], QuerySet[Any]]
    member: str
    instant: str
    fact: str


WAYS: Final[Mapping[str, Way]] = {
    "unfollowed": Way(_("取消关注"), member_selectors.unfollowed_rows, "id", "follow_changed_at", "profile"),
    "barred": Way(_("拉黑或发不到"), ReachBar.objects.all, "member_id", "barred_at", "bars"),
    "withdrew": Way(
        _("撤回营销授权或回复退订"), member_selectors.withdrawal_rows, "member_id", "at", "consents"
    ),
}


class TurnedAway(Condition):
    """She turned away from the day of the first of these messages until a week after the last one: she unfollowed and did not
    come back, an account cannot write to her any more, or she took her consent to marketing back."""

    code, label, family, facts = "campaigns.turned_away", _("收到后退出"), FAMILY, ("reaches",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        **OF_SENT,
        "ways": Choices(
            label=_("怎么退出（不选为任何一种）"),
            options=tuple((name, way.label) for name, way in WAYS.items()),
            is_required=False,
        ),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        sent = sent_rows(values, day)
        return Some(tuple(SetTest(_turned(way, sent, values, day), way.member) for way in _ways(values)))

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        sent, told = sent_rows(values, day), []
        for way in _ways(values):
            hers = _turned(way, sent, values, day).filter(**{way.member: member_id})
            days = hers.order_by(f"-{way.instant}").values_list("turned_on", flat=True)
            told += [f"{way.label} {turned_on}" for turned_on in days[:1]]
        return _now("、").join(told)

    def facts_of(self, values: Values) -> frozenset[str]:
        return super().facts_of(values) | {way.fact for way in _ways(values)}


def _ways(values: Values) -> Iterator[Way]:
    return (way for name, way in WAYS.items() if name in (values.get("ways") or WAYS))


def _turned(way: Way, sent: QuerySet[Reach], values: Values, day: dt.date) -> QuerySet[Any]:
    """The rows on days with a message on it or before, and one in the week before it or later: so they lie between the first
    message and a week after the last. Nothing is grouped by member."""
    rows: QuerySet[Any] = way.rows().annotate(turned_on=TruncDate(way.instant, tzinfo=SHANGHAI))
    since, until = instants_of(values.get("when"), day)
    if since is not None:
        rows = rows.filter(**{f"{way.instant}__gte": since})
    if until is not None:
        rows = rows.filter(**{f"{way.instant}__lt": until + AFTERWARDS})
    hers = sent.filter(member_id=OuterRef(way.member)).annotate(sent_on=TruncDate("sent_at", tzinfo=SHANGHAI))
    return rows.filter(
        Exists(hers.filter(sent_on__lte=OuterRef("turned_on"))),
        Exists(hers.filter(sent_on__gte=OuterRef("turned_on") - AFTERWARDS)),
    )
