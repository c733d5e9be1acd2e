"""Asking a second time for reports whose one answer was lost on its way to us.

The provider's queue gives each report once, to whoever asks; but of a number that is named it tells again what it told in the
last week. So all numbers that were texted before the loss are asked about, one after the other, as far as a walk got in
runs of its own. What was known already is known again and changes nothing.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from django.conf import settings
from django.db.models import F

from core import clock
from core.slots import slot
from sms.contracts import LostReports
from sms.gateways import Gateway, ProviderError, ReportKind, gateway, is_set_up
from sms.models import PullState, SmsMessage, SmsPull, SmsState
from sms.services.pulls import KINDS, store_reports

logger = logging.getLogger(__name__)

# (position, number) of those that were texted, behind a position; "" for a number that is not known any more.
Texted = Callable[[LostReports, int, int], Sequence[tuple[int, str]]]

RECALL_SLOT: Final = 7_316_005
# The provider answers twenty questions a second and looks seven days back.
_AT_ONCE: Final = 300
_HANDFUL: Final = 100
_KEPT: Final = dt.timedelta(days=7) - dt.timedelta(hours=1)
# Carriers report for three days; people answer when they like.
_SPANS: Final[Mapping[ReportKind, dt.timedelta]] = {"receipts": dt.timedelta(days=3), "replies": _KEPT}


def recall_reports(*, texted: Texted, at: dt.datetime | None = None) -> int:
    """Lost answers are made good by asking about every number that was texted by us, or by others (`texted`); how many
    numbers were asked about. One run does some hundred and the next goes on. One process at a time."""
    if not is_set_up() or not settings.SMS_PULL_REPORTS:
        return 0
    now = at or clock.now()
    with slot(kind=RECALL_SLOT, count=1) as is_free:
        return sum(_recall(kind, texted, now) for kind in KINDS) if is_free else 0


def _recall(kind: ReportKind, texted: Texted, now: dt.datetime) -> int:
    """One walk makes good all that was lost before it began."""
    lost = SmsPull.objects.filter(kind=kind, state=PullState.LOST, asked_at__gt=now - _KEPT)
    row = lost.order_by(F("recall_began_at").asc(nulls_last=True), "asked_at", "pk").first()
    if row is None:
        return 0
    began_at = row.recall_began_at or now
    since = max(row.asked_at - _SPANS[kind], now - _KEPT)
    walk = _Walk(row, LostReports(kind, since, began_at), gateway())
    try:
        is_over = walk.go((_own_numbers, texted))
    except ProviderError as error:
        # Nothing is lost by it: the walk goes on from where it is.
        logger.warning("sms.recall_failed", extra={"reason": error.code})
        return walk.asked_count
    if is_over:
        lost.filter(asked_at__lte=began_at).update(state=PullState.RECALLED)
        logger.info("sms.reports_recalled", extra={"kind": kind})
    return walk.asked_count


@dataclasses.dataclass(slots=True)
class _Walk:
    """Over the numbers of every source in turn; how far it is stands on the row."""

    row: SmsPull
    lost: LostReports
    provider: Gateway
    asked_count: int = 0

    def go(self, sources: Sequence[Texted]) -> bool:
        """Whether it came to its end. Raises ProviderError where the provider does not answer, or with nothing we know."""
        while self.row.recall_source < len(sources):
            if self.asked_count >= _AT_ONCE:
                return False
            numbers = sources[self.row.recall_source](self.lost, self.row.recall_after, _HANDFUL)
            for position, phone in numbers:
                if phone:
                    self._ask(phone)
                self._note(self.row.recall_source, position)
            if len(numbers) < _HANDFUL:
                self._note(self.row.recall_source + 1, 0)
        return True

    def _ask(self, phone: str) -> None:
        body = self.provider.recall(self.lost.kind, phone, self.lost.since)
        store_reports(provider=self.provider, kind=self.lost.kind, body=body)
        self.asked_count += 1

    def _note(self, source: int, position: int) -> None:
        self.row.recall_source, self.row.recall_after = source, position
        self.row.recall_began_at = self.lost.until
        self.row.save(update_fields=["recall_source", "recall_after", "recall_began_at"])


def _own_numbers(lost: LostReports, after: int, limit: int) -> list[tuple[int, str]]:
    """Those of codes; of receipts only where one is missing."""
    texts = SmsMessage.objects.filter(pk__gt=after, queued_at__gte=lost.since, queued_at__lte=lost.until)
    texts = texts.filter(state=SmsState.SENT) if lost.kind == "receipts" else texts.exclude(provider_ref="")
    return list(texts.order_by("pk").values_list("pk", "phone")[:limit])
