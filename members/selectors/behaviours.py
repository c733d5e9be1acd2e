"""What members did in the mini-program: who agrees to its being kept, her last ones, and what she looks at."""

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db.models import Count, Max, QuerySet

from core import clock
from core.compiled import Given, compiled
from core.labels import label_of
from members.contracts.behaviours import (
    BEHAVIOUR_LABELS,
    INTEREST_KINDS,
    BehaviourDay,
    BehaviourInterest,
    BehaviourInterests,
    BehaviourLine,
)
from members.models import Behaviour, BehaviourSum, ConsentText, Member, MemberStage
from members.selectors.consents import list_last_words

# The consent that keeping them asks for (个性化推荐).
RECOMMENDATION: Final = "recommendation"
_INTEREST_DAYS: Final = 30


def keepers_among(member_ids: Iterable[int], *, at: dt.datetime | None = None) -> set[int]:
    """Those of these living members of whom behaviours may be kept: whoever agreed to 个性化推荐, and, until they are
    members and have been asked, those who never said anything. Where the chain asks for no such consent: all."""
    ids = set(member_ids)
    if (
        not ids
        or not ConsentText.objects.published(at or clock.now()).filter(kind__code=RECOMMENDATION).exists()
    ):
        return ids
    words = list_last_words(ids, RECOMMENDATION)
    silent = Member.objects.filter(pk__in=ids - set(words), stage=MemberStage.PROSPECT)
    return {pk for pk, agrees in words.items() if agrees} | set(silent.values_list("pk", flat=True))


def find_interests(
    member_id: int, *, limit: int = 4, at: dt.datetime | None = None
) -> BehaviourInterests | None:
    """What she looked at, put into her cart and searched for within thirty days, the last first, and when she was there
    last for whatever; None when she was not."""
    since = (at or clock.now()) - dt.timedelta(days=_INTEREST_DAYS)
    rows = _by_subject(member_id=member_id, since=since)
    if not rows:
        return None
    found = [BehaviourInterest(*row) for row in rows if row[0] in INTEREST_KINDS]
    return BehaviourInterests(last_at=rows[0][3], interests=tuple(found[:limit]))


@compiled
def _by_subject(*, member_id: Given, since: Given) -> QuerySet[Behaviour, tuple[str, str, int, dt.datetime]]:
    hers = Behaviour.objects.filter(member_id=member_id, happened_at__gte=since)
    grouped = hers.values("kind", "subject").annotate(count=Count("pk"), last=Max("happened_at"))
    return grouped.order_by("-last", "subject").values_list("kind", "subject", "count", "last")[:60]


def list_behaviours(member_id: int, *, limit: int = 20) -> tuple[BehaviourLine, ...]:
    """The last things she did, the newest first."""
    return tuple(
        BehaviourLine(
            id=row.pk,
            kind=row.kind,
            kind_label=str(BEHAVIOUR_LABELS.get(row.kind, row.kind)),
            subject=row.subject,
            happened_at=row.happened_at,
            door_label=label_of(row, "door"),
        )
        for row in _last(member_id=member_id)[:limit]
    )


@compiled
def _last(*, member_id: Given) -> QuerySet[Behaviour]:
    return Behaviour.objects.filter(member_id=member_id).order_by("-happened_at", "-pk")[:50]


def list_behaviour_days(*, first: dt.date, last: dt.date) -> tuple[BehaviourDay, ...]:
    """How often each kind was done on each day of a span, as it was last counted, the newest day first."""
    rows = BehaviourSum.objects.filter(on__gte=first, on__lte=last).order_by("-on", "kind")
    return tuple(BehaviourDay(*row) for row in rows.values_list("on", "kind", "count", "member_count"))


def behaviours_counted_at() -> dt.datetime | None:
    """When days were last counted."""
    return BehaviourSum.objects.order_by("-counted_at").values_list("counted_at", flat=True).first()
