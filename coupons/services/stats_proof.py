"""Once a night: the numbers are what the facts say; where they are not, they are put right and it is reported.

All facts are folded again into copies, in slices and without a lock. Then the readers' cursors are locked for the
moment it takes to fold what came in meanwhile, to compare and to repair: nobody folds in between.
"""

import datetime as dt
import json
import time
from typing import Any, Final

from django.db import connection, transaction

from core import audit, clock
from core.actor import Actor
from coupons.contracts import ProofReport
from coupons.models import FactCursor, StatsProof
from coupons.services.stats import SLICE, SOURCES, lock_cursor
from coupons.services.stats_sql import COPIES, KEYS, ROLL_UPS, VALUES, fold_statement

_NIGHT_HOUR: Final = 3  # Shanghai
_SHOWN: Final = 50

_COPY: Final = """
CREATE TEMPORARY TABLE proof_<name> AS SELECT <keys>, <values> FROM <table> WHERE false;
CREATE UNIQUE INDEX ON proof_<name> (<keys>)
"""
_WRONG: Final = """
CREATE TEMPORARY TABLE wrong_<name> AS
SELECT <keys>, copy.batch_id IS NULL AS is_extra, jsonb_build_array(<stored>) AS stored, jsonb_build_array(<true>) AS true
FROM <table> own FULL JOIN proof_<name> copy USING (<keys>)
WHERE ROW(<stored>) <> ROW(<true>)
"""
# A row that no fact stands behind goes; the others get what is true.
_DROP: Final = "DELETE FROM <table> own USING wrong_<name> wrong WHERE wrong.is_extra AND <same>"
_REPAIR: Final = """
INSERT INTO <table> (<keys>, <values>)
SELECT <keys>, <values> FROM proof_<name> copy JOIN wrong_<name> wrong USING (<keys>) ORDER BY <keys>
ON CONFLICT (<keys>) DO UPDATE SET <set>
"""
_SAMPLE: Final = "SELECT to_jsonb(wrong) FROM wrong_<name> wrong ORDER BY <keys> LIMIT 50"
_FORGET: Final = "DROP TABLE IF EXISTS " + ", ".join(
    f"pg_temp.{kind}_{name}" for kind in ("proof", "wrong") for name in ROLL_UPS
)


def prove_stats(*, actor: Actor, at: dt.datetime | None = None) -> ProofReport:
    """The numbers equal the facts. What differed is repaired, kept in a StatsProof and audited."""
    at = at or clock.now()
    began = time.monotonic()
    _run(_FORGET)
    try:
        for name in ROLL_UPS:
            _run(_filled(_COPY, name))
        read = {source: _fold_copy(source, 0, _read_until(source)) for source in SOURCES}
        with transaction.atomic():
            cursors = {source: lock_cursor(source=source) for source in SOURCES}
            for source, cursor in cursors.items():
                _fold_copy(source, read[source], cursor.last_id)
            report = _compare()
            row = StatsProof.objects.create(
                day=clock.business_day(at),
                ran_at=at,
                seconds=round(time.monotonic() - began, 3),
                row_count=report.row_count,
                wrong_count=report.wrong_count,
                wrong_rows=list(report.wrong_rows),
            )
            if report.wrong_count:
                audit.record(
                    action="coupons.stats_repaired",
                    subject=row,
                    actor=actor,
                    at=at,
                    wrong_count=report.wrong_count,
                )
    finally:
        if not connection.needs_rollback:
            _run(_FORGET)
    return report


def prove_stats_when_due(*, actor: Actor, at: dt.datetime | None = None) -> bool:
    """Proved once a Shanghai day, from three in the morning; whether this run did it."""
    at = at or clock.now()
    today = clock.business_day(at)
    is_night = at.astimezone(clock.SHANGHAI).hour >= _NIGHT_HOUR
    if not is_night or StatsProof.objects.filter(day=today).exists():
        return False
    prove_stats(actor=actor, at=at)
    return True


def _read_until(source: str) -> int:
    return FactCursor.objects.filter(source=source).values_list("last_id", flat=True).first() or 0


def _fold_copy(source: str, after: int, until: int) -> int:
    statement = fold_statement(source=source, tables=COPIES)
    for start in range(after, until, SLICE):
        with connection.cursor() as cursor:
            cursor.execute(statement, {"after": start, "until": min(until, start + SLICE)})
    return until


def _compare() -> ProofReport:
    rows = wrong = 0
    samples: list[dict[str, Any]] = []
    for name, table in ROLL_UPS.items():
        _run(_filled(_WRONG, name))
        rows += _run(f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608  (a name of ours)
        count = _run(f"SELECT count(*) FROM wrong_{name}")[0][0]  # noqa: S608
        if count:
            wrong += count
            samples += [{"table": name, **_as_dict(sample)} for (sample,) in _run(_filled(_SAMPLE, name))]
            _run(_filled(_DROP, name))
            _run(_filled(_REPAIR, name))
    return ProofReport(rows, wrong, tuple(samples[:_SHOWN]))


def _as_dict(sample: Any) -> dict[str, Any]:
    return dict(json.loads(sample) if isinstance(sample, str) else sample)


def _filled(template: str, name: str) -> str:
    keys, values = KEYS[name], VALUES[name]
    parts = {
        "<name>": name,
        "<table>": ROLL_UPS[name],
        "<keys>": ", ".join(keys),
        "<values>": ", ".join(values),
        "<stored>": ", ".join(f"coalesce(own.{value}, 0)" for value in values),
        "<true>": ", ".join(f"coalesce(copy.{value}, 0)" for value in values),
        "<same>": " AND ".join(f"own.{key} = wrong.{key}" for key in keys),
        "<set>": ", ".join(f"{value} = excluded.{value}" for value in values),
    }
    for part, text in parts.items():
        template = template.replace(part, text)
    return template


def _run(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []
