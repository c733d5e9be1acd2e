"""Asking the provider for reports. It gives each once: the question is a row before it is asked, the answer is that row's
before anything is made of it. A process that dies with the answer in hand leaves word of it, and `recalls` asks again."""

import datetime as dt
import logging
from typing import Final

from django.conf import settings
from django.db import transaction

from core import clock
from sms.gateways import Gateway, ProviderError, ReportKind, gateway, is_set_up
from sms.models import PullKind, PullState, SmsPull
from sms.services.reports import store_receipts, store_replies

logger = logging.getLogger(__name__)

_PULLS: Final = 50
KINDS: Final[tuple[ReportKind, ...]] = ("receipts", "replies")
# A question is answered, or given up, within seconds.
_LOST_AFTER: Final = dt.timedelta(minutes=5)
_TOLD_FOR: Final = dt.timedelta(days=1)


def pull_reports() -> int:
    """What the provider holds for us is stored and worked off; how many reports it gave."""
    if not is_set_up() or not settings.SMS_PULL_REPORTS:
        return 0
    provider = gateway()
    count = 0
    for kind in KINDS:
        for _round in range(_PULLS):
            given = _pull(provider, kind)
            count += given
            if not given:
                break
    return count


def _pull(provider: Gateway, kind: ReportKind) -> int:
    row = SmsPull.objects.create(kind=kind, asked_at=clock.now())
    mine = SmsPull.objects.filter(pk=row.pk)
    try:
        body = provider.pull(kind)
    except ProviderError as error:
        logger.warning("sms.pull_failed", extra={"reason": error.code})
        if error.is_unclear:
            mine.update(state=PullState.LOST)
        else:
            mine.delete()
        return 0
    row.state, row.body = PullState.STORED, body
    row.save(update_fields=["state", "body"])
    return work_pull(pull_id=row.pk)


def work_pull(*, pull_id: int) -> int:
    """A stored answer is receipts or replies, and gone; how many. One that cannot be read is kept for a person."""
    with transaction.atomic():
        rows = SmsPull.objects.filter(pk=pull_id, state=PullState.STORED).lock_rows()
        if not rows:
            return 0
        [row] = rows
        provider = gateway()
        try:
            count = store_reports(provider=provider, kind=_kind_of(row), body=row.body)
        except ProviderError:
            logger.exception("sms.pull_unreadable", extra={"pull_id": row.pk})
            row.state = PullState.UNREADABLE
            row.save(update_fields=["state"])
            return 0
        row.delete()
    return count


def _kind_of(row: SmsPull) -> ReportKind:
    return "receipts" if row.kind == PullKind.RECEIPTS else "replies"


def store_reports(*, provider: Gateway, kind: ReportKind, body: str) -> int:
    """An answer's receipts or replies are kept, each once; how many it had. Raises ProviderError for one that says nothing we
    know."""
    if kind == "receipts":
        receipts = provider.read_receipts(body)
        if receipts:
            store_receipts(told=receipts)
        return len(receipts)
    replies = provider.read_replies(body)
    if replies:
        store_replies(told=replies)
    return len(replies)


def work_pulls(*, at: dt.datetime | None = None) -> int:
    """Answers of processes that died are worked off, and questions that were never answered are told of; how many of
    either."""
    if not is_set_up():
        return 0
    now = at or clock.now()
    stored = list(SmsPull.objects.filter(state=PullState.STORED).order_by("pk").values_list("pk", flat=True))
    for pull_id in stored:
        work_pull(pull_id=pull_id)
    asked = SmsPull.objects.filter(state=PullState.ASKED, asked_at__lt=now - _LOST_AFTER)
    lost = asked.update(state=PullState.LOST)
    if lost:
        logger.error("sms.pull_lost", extra={"pull_count": lost})
    return len(stored) + lost


def count_lost_pulls(*, at: dt.datetime) -> int:
    """How many questions of the last day may have lost what the provider told."""
    told = [PullState.LOST, PullState.UNREADABLE]
    return SmsPull.objects.filter(state__in=told, asked_at__gt=at - _TOLD_FOR).count()


def prune_pulls(*, at: dt.datetime) -> int:
    """What came to nothing is forgotten after SMS_KEEP_DAYS; how many."""
    horizon = at - dt.timedelta(days=settings.SMS_KEEP_DAYS)
    return SmsPull.objects.filter(asked_at__lt=horizon).delete()[0]
