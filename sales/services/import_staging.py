"""From a file to `IntakeDocument`: every row is read once, and documents are copied in chunks.

A chunk is one transaction that also moves the job's mark: whoever takes the job over after a crash goes on behind
the last committed document, and none is staged twice.
"""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from django.db import connection, transaction
from django.db.models import F

from core import clock, crypto
from core.collecting import collector_resting
from core.imports.holds import Hold
from core.tables import Table
from sales.contracts import (
    MemberKey,
    OrderCoupon,
    OrderDocument,
    OrderLine,
    OrderPayment,
    ReturnDocument,
    ReturnLine,
)
from sales.models import IntakeDocument, IntakeJob, IntakeKind, IntakeProblem
from sales.services.copying import copy_lines, copy_rows, copy_word
from sales.services.held import Document, digest_of, number_of
from sales.services.import_columns import IntakePlan
from sales.services.import_documents import Assembler, Grouped

CHUNK: Final = 5_000  # rows
_CONTEXT: Final = f"{IntakeDocument._meta.db_table}.member"
_SPLIT: Final = "\x1f"
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_COLUMNS: Final = (
    "job", "place", "line", "last_line", "number", "revision", "digest", "store_code", "serving_guide", "sharing_guide", "member",
    "body", "is_apart",
)  # fmt: skip
# One number twice in a file, with other content: its rows are scattered, or two orders were mixed up. Nobody guesses.
# Counted once: folded into the DELETE, the count could be made anew for every document.
_SCATTERED: Final = """
WITH twice AS MATERIALIZED (
    SELECT number, revision FROM sales_intakedocument WHERE job_id = %(job)s
    GROUP BY number, revision HAVING count(DISTINCT digest) > 1),
gone AS (
    DELETE FROM sales_intakedocument document USING twice
    WHERE document.job_id = %(job)s AND document.number = twice.number AND document.revision = twice.revision
    RETURNING document.line, document.last_line)
INSERT INTO sales_intakeproblem (job_id, line, reasons)
SELECT %(job)s, bad, ARRAY['document:scattered'] FROM gone, generate_series(gone.line, gone.last_line) bad
ON CONFLICT DO NOTHING
"""


class Staged(NamedTuple):
    """What a slice reads of an `IntakeDocument`; a row of the model for each takes as long as reading the document."""

    pk: int
    place: int
    digest: bytes
    number: str
    revision: int
    store_code: str
    serving_guide: str
    sharing_guide: str
    member: str
    body: str


class Stager:
    """Reads the rest of one job's file into its documents, chunk by chunk, under its lease."""

    def __init__(self, *, job: IntakeJob, plan: IntakePlan, hold: Hold) -> None:
        self._job_id = job.pk
        self._hold = hold
        self._read_to = job.read_count
        self._place = job.total_count
        self._assembler = Assembler(plan=plan, source=job.source, width=len(job.headings), at=clock.now())

    def chunks(self, table: Table) -> Iterator[None]:
        """Stage a chunk at every step; the lease is kept by each."""
        rest = (row for row in table.rows if row[0] > self._read_to)
        documents = self._assembler.documents(rest)
        while self._next_chunk(documents):
            yield

    def _next_chunk(self, documents: Iterator[Grouped]) -> bool:
        """Whether there was one."""
        waiting: list[Grouped] = []
        count = 0
        with collector_resting():
            for grouped in documents:
                waiting.append(grouped)
                count += len(grouped.lines)
                if count >= CHUNK:
                    break
            if waiting:
                self._stage(waiting)
        return bool(waiting)

    def _stage(self, groups: Sequence[Grouped]) -> None:
        ready = [(one.lines, one.document) for one in groups if one.document is not None]
        problems = [problem for one in groups for problem in one.reasons]
        rows = _rows(self._job_id, self._place, ready)
        with transaction.atomic():
            self._hold.keep(
                read_count=groups[-1].lines[-1],
                row_count=F("row_count") + sum(len(one.lines) for one in groups),
                bad_count=F("bad_count") + len(problems),
                total_count=F("total_count") + len(ready),
            )
            copy_lines(model=IntakeDocument, names=_COLUMNS, lines=rows)
            if problems:
                copy_rows(
                    model=IntakeProblem,
                    names=("job", "line", "reasons"),
                    rows=((self._job_id, line, reasons) for line, reasons in problems),
                )
        self._place += len(ready)


def refuse_scattered(*, job_id: int) -> int:
    """Documents of one number that say different things are bad, all of them; how many lines. Inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_SCATTERED, {"job": job_id})
        return int(cursor.rowcount)


def _rows(job_id: int, start: int, ready: Sequence[tuple[tuple[int, ...], Document]]) -> Iterator[str]:
    members = crypto.seal_all(
        [_member_words(document.member) for _lines, document in ready], context=_CONTEXT
    )
    for place, ((lines, document), member) in enumerate(zip(ready, members, strict=True), start + 1):
        sharing = document.sharing_guide if isinstance(document, OrderDocument) else ""
        revision = document.revision if isinstance(document, OrderDocument) else 0
        yield (
            f"{job_id}\t{place}\t{lines[0]}\t{lines[-1]}\t{copy_word(number_of(document))}\t{revision}\t"
            f"\\\\x{digest_of(document).hex()}\t{copy_word(document.store_code)}\t{copy_word(document.serving_guide)}\t"
            f"{copy_word(sharing)}\t{member}\t{copy_word(_body(document))}\tf"
        )


def load_staged(row: "IntakeDocument | Staged", *, kind: str, source: str) -> Document:
    """The document of a row, as it was read."""
    return _load_order(row, source) if kind == IntakeKind.ORDER else _load_return(row, source)


def _member_words(member: MemberKey | None) -> str:
    return "" if member is None else _SPLIT.join((member.kind, member.app_id, member.value))


def member_key(words: str) -> MemberKey | None:
    """The member a row names."""
    if not words:
        return None
    kind, app_id, value = words.split(_SPLIT)
    return MemberKey(kind, value, app_id)  # type: ignore[arg-type]


def _body(document: Document) -> str:
    if isinstance(document, ReturnDocument):
        lines = [
            [one.product_code, one.quantity, one.amount_fen, one.line_number, one.product_name]
            for one in document.lines
        ]
        told: list[Any] = [document.returned_at.isoformat(), document.order_no, document.amount_fen, lines]
    else:
        goods = [
            [one.product_code, one.quantity, one.list_fen, one.amount_fen, one.product_name, one.category_code, one.category_name]
            for one in document.lines
        ]  # fmt: skip
        told = [
            document.sold_at.isoformat(), document.channel, document.amount_fen, document.points_spent, goods,
            [[one.method, one.amount_fen] for one in document.payments],
            [[one.code, one.discount_fen, one.amount_fen] for one in document.coupons],
        ]  # fmt: skip
    return _JSON(told)


def _load_order(row: "IntakeDocument | Staged", source: str) -> OrderDocument:
    sold_at, channel, amount_fen, points_spent, goods, payments, coupons = json.loads(row.body)
    return OrderDocument(
        source=source, order_no=row.number, revision=row.revision, sold_at=dt.datetime.fromisoformat(sold_at), channel=channel,
        store_code=row.store_code, serving_guide=row.serving_guide, sharing_guide=row.sharing_guide,
        amount_fen=amount_fen, points_spent=points_spent, member=member_key(row.member),
        lines=tuple([
            OrderLine(
                product_code=code, quantity=quantity, list_fen=list_fen, amount_fen=fen, product_name=name,
                category_code=category, category_name=title,
            )
            for code, quantity, list_fen, fen, name, category, title in goods
        ]),
        payments=tuple(OrderPayment(*one) for one in payments), coupons=tuple(OrderCoupon(*one) for one in coupons),
    )  # fmt: skip


def _load_return(row: "IntakeDocument | Staged", source: str) -> ReturnDocument:
    returned_at, order_no, amount_fen, lines = json.loads(row.body)
    return ReturnDocument(
        source=source, return_no=row.number, returned_at=dt.datetime.fromisoformat(returned_at), store_code=row.store_code,
        serving_guide=row.serving_guide, order_no=order_no, amount_fen=amount_fen, member=member_key(row.member),
        lines=tuple(
            ReturnLine(product_code=code, quantity=quantity, amount_fen=fen, line_number=number, product_name=name)
            for code, quantity, fen, number, name in lines
        ),
    )  # fmt: skip
