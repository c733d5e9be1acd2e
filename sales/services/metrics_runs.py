"""A pass over all members: every night from their documents, and from their rows when the chain changed its rules."""

import datetime as dt
import logging
from typing import Final

from django.db import IntegrityError, connection, transaction

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from sales.contracts import RunReport
from sales.models import MetricsRun, RfmMonth, RunKind
from sales.selectors.metrics_sql import DROP, REBUILD, RESCORE, values_of
from sales.selectors.rfm_rules import get_rfm_rules, get_rfm_settings
from sales.selectors.spans import add_months
from sales.services.rfm_cuts import choose_cuts

logger = logging.getLogger(__name__)

SLICE: Final = 10_000  # members; a slice is one statement and one transaction
_PROGRESS: Final = (
    "cursor", "moved_at", "finished_at", "member_count", "added_count", "slid_count", "wrong_count", "wrong_rows",
)  # fmt: skip
_MOST_SHOWN: Final = 20
_NEXT: Final = """
SELECT max(id), count(*) FROM (SELECT id FROM members_member WHERE id > %s ORDER BY id LIMIT %s) slice
"""
# Where each member of the slice stood at the end of the last month, by the store of her guide.
_MONTH: Final = """
INSERT INTO sales_rfmmonth (month_on, store_id, rfm_group, member_count)
SELECT %(ended_on)s, guide.store_id,
       CASE WHEN row.group_month_on = %(month_on)s THEN row.before_group ELSE row.rfm_group END AS stood, count(*)
FROM sales_membermetrics row
LEFT JOIN guides_binding binding ON binding.member_id = row.member_id AND binding.ended_at IS NULL
LEFT JOIN guides_guide guide ON guide.id = binding.guide_id
WHERE row.member_id > %(after)s AND row.member_id <= %(upto)s
  AND CASE WHEN row.group_month_on = %(month_on)s THEN row.before_group ELSE row.rfm_group END IS NOT NULL
GROUP BY guide.store_id, stood ORDER BY guide.store_id, stood
ON CONFLICT (month_on, store_id, rfm_group) DO UPDATE
    SET member_count = sales_rfmmonth.member_count + excluded.member_count
"""


def work_metrics_runs(*, actor: Actor, at: dt.datetime | None = None, slice_size: int = SLICE) -> RunReport:
    """Whatever is due is done to its end: a run that was left, the run of this night, a run for changed rules.

    Each slice is a transaction that also moves the run's own row, so a killed run is gone on with and nothing is
    done twice. While another worker is at a slice, this one leaves. What a slice finds different it writes, without
    waiting for anybody; rows that had been wrong are told, for that is an error of the counting at each booking.
    """
    total = RunReport()
    while (done := _next_slice(actor=actor, at=at or clock.now(), size=slice_size)) is not None:
        total = _sum(total, done)
    return total


def rebuild_member_metrics(*, actor: Actor, at: dt.datetime | None = None) -> RunReport:
    """Every member's row says what her documents said at the end of this day, whatever was done before: the run of
    that day is begun, or begun again, and worked off."""
    at = at or clock.now()
    day = clock.business_day(at)
    with transaction.atomic():
        MetricsRun.objects.filter(kind=RunKind.NIGHTLY, finished_at__isnull=True).exclude(day=day).update(
            finished_at=at
        )
        for run in MetricsRun.objects.filter(kind=RunKind.NIGHTLY, day=day).lock_rows():
            if _ends_a_month(run):
                RfmMonth.objects.filter(month_on=add_months(day.replace(day=1), -1)).delete()
            run.cursor, run.finished_at, run.wrong_rows = 0, None, []
            run.member_count = run.added_count = run.slid_count = run.wrong_count = 0
            run.save(update_fields=_PROGRESS)
    return work_metrics_runs(actor=actor, at=at)


def _next_slice(*, actor: Actor, at: dt.datetime, size: int) -> RunReport | None:
    """None when nothing is due, or somebody else is at it."""
    if not _ensure_run(actor=actor, at=at):
        return None
    with transaction.atomic():
        rows = MetricsRun.objects.filter(finished_at__isnull=True).claim(1)
        if not rows:
            return None
        run = rows[0]
        with connection.cursor() as cursor:
            cursor.execute(_NEXT, [run.cursor, size])
            upto, count = cursor.fetchone()
        run.moved_at = at
        if not count:
            _finish(run, actor=actor, at=at)
            return RunReport()
        report = _work(run, upto, day=clock.business_day(at))
        run.cursor = upto
        run.member_count += report.member_count
        run.added_count += report.added_count
        run.slid_count += report.slid_count
        run.wrong_count += report.wrong_count
        run.save(update_fields=_PROGRESS)
        return report


def _ensure_run(*, actor: Actor, at: dt.datetime) -> bool:
    """Whether a run waits to be worked on; one that is due is begun."""
    if MetricsRun.objects.filter(finished_at__isnull=True).exists():
        return True
    day = clock.business_day(at)
    if not MetricsRun.objects.filter(kind=RunKind.NIGHTLY, day=day).exists():
        return _begin(RunKind.NIGHTLY, day=day, at=at)
    newest = MetricsRun.objects.order_by("-version").values_list("version", flat=True).first() or 0
    settings = get_rfm_settings()
    return newest < settings.version and _begin(RunKind.RULES, day=day, at=at)


def _begin(kind: RunKind, *, day: dt.date, at: dt.datetime) -> bool:
    try:
        with transaction.atomic():
            if kind == RunKind.NIGHTLY:
                choose_cuts(day=day)
            settings = get_rfm_settings()
            with connection.cursor() as cursor:
                cursor.execute("SELECT coalesce(max(id), 0) FROM members_member")
                [last_id] = cursor.fetchone()
            MetricsRun.objects.create(
                kind=kind, day=day, version=settings.version, last_id=last_id, started_at=at, moved_at=at
            )
    except IntegrityError as error:
        if violated(error) not in {"metricsrun_one_open_of_a_kind", "metricsrun_one_a_night"}:
            raise
    return True


def _work(run: MetricsRun, upto: int, *, day: dt.date) -> RunReport:
    """The members up to that id."""
    values = values_of(rules=get_rfm_rules(), day=day) | {"after": run.cursor, "upto": upto}
    with connection.cursor() as cursor:
        gone = 0
        if run.kind == RunKind.NIGHTLY:
            cursor.execute(DROP, values)
            gone = cursor.rowcount
        cursor.execute(REBUILD if run.kind == RunKind.NIGHTLY else RESCORE, values)
        members, added, slid, wrong, examples = cursor.fetchone()
        if run.kind == RunKind.NIGHTLY and _ends_a_month(run):
            cursor.execute(_MONTH, values | {"ended_on": add_months(run.day.replace(day=1), -1)})
    run.wrong_rows = [*run.wrong_rows, *examples][:_MOST_SHOWN]
    return RunReport(members, added, slid, wrong + gone)


def _ends_a_month(run: MetricsRun) -> bool:
    """The first nightly run of a month writes down how the last one ended."""
    nights = MetricsRun.objects.filter(kind=RunKind.NIGHTLY)
    return not nights.filter(day__gte=run.day.replace(day=1), day__lt=run.day).exists()


def _finish(run: MetricsRun, *, actor: Actor, at: dt.datetime) -> None:
    run.finished_at = at
    run.save(update_fields=["finished_at", "moved_at"])
    if run.wrong_count:
        logger.error("sales.metrics_were_wrong", extra={"count": run.wrong_count})
        audit.record(
            action="sales.metrics_mended",
            subject=run,
            actor=actor,
            at=at,
            count=run.wrong_count,
            examples=[str(one) for one in run.wrong_rows],
        )


def _sum(one: RunReport, other: RunReport) -> RunReport:
    return RunReport(
        one.member_count + other.member_count,
        one.added_count + other.added_count,
        one.slid_count + other.slid_count,
        one.wrong_count + other.wrong_count,
    )
