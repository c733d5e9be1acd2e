"""Goods come back: a batch of returns in one transaction, each on its order or, where nobody knows it, on the store."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from core import events
from core.actor import Actor
from core.arrays import array_words
from core.codes import new_public_ids
from core.compiled import ask
from core.errors import Refusal
from sales.contracts import DocumentOutcome, ReturnDocument, ReturnLine
from sales.errors import DocumentConflict, ReturnTooLarge, UnknownOrder
from sales.events import ReturnRecorded
from sales.models import EntryReason, Sale, SaleLine, SaleReturn, SaleReturnLine
from sales.services.booking import Again, lock_known_members
from sales.services.copying import copy_rows, draw_ids
from sales.services.metrics import refresh_member_metrics
from sales.services.order_coupons import hold_coupons_of
from sales.services.reading import digest_of_return
from sales.services.reconciling import reconcile_returns, reconcile_sales
from sales.services.references import References, day_of
from sales.services.rewards import reward_sales

_RETURN = (
    "id", "public_id", "source", "return_no", "digest", "order_no", "sale", "member", "store", "returned_at",
    "business_on", "amount_fen", "unit_count", "recorded_at",
)  # fmt: skip
# All of these rows are locked, or belong to orders that are.
_KEEP: Final = """
WITH kept AS (
    UPDATE sales_saleline line SET returned_quantity = now.units, returned_fen = now.fen
    FROM unnest(%(lines)s::bigint[], %(line_units)s::bigint[], %(line_fens)s::bigint[]) AS now(id, units, fen)
    WHERE line.id = now.id)
UPDATE sales_sale sale SET returned_unit_count = now.units, returned_fen = now.fen
FROM unnest(%(sales)s::bigint[], %(units)s::bigint[], %(fens)s::bigint[]) AS now(id, units, fen) WHERE sale.id = now.id
"""
_LINE = ("sale_return", "number", "sale_line_number", "product", "quantity", "amount_fen")

Numbered = tuple[int, ReturnDocument]


class Returning:
    """One batch of usable returns inside the caller's transaction; answers as `Booking`."""

    def __init__(self, *, actor: Actor, at: dt.datetime) -> None:
        self.actor = actor
        self.at = at
        self.answers: dict[int, DocumentOutcome | Refusal] = {}

    def book(self, returns: Sequence[Numbered]) -> dict[int, DocumentOutcome | Refusal]:
        references = References([given for _place, given in returns])
        fresh = self._sort_out(returns, references)
        if not fresh:
            return self.answers
        sales = self._lock_orders(fresh, references)
        references.ensure_products([given for _place, given in fresh], at=self.at)
        lines: dict[int, dict[int, SaleLine]] = defaultdict(dict)
        for line in SaleLine.objects.filter(sale__in=sales.values()):
            lines[line.sale_id][line.number] = line
        taken = [one for one in fresh if self._take_back(one, sales, lines)]
        _keep_rests(taken, sales, lines)
        ids = self._write(taken, sales, references)
        touched = sorted({sales[_key(given)].pk for _place, given in taken if given.order_no})
        reconcile_sales(touched, reason=EntryReason.RETURN, at=self.at)
        reconcile_returns(
            [pk for pk, (_place, given) in zip(ids, taken, strict=True) if not given.order_no], at=self.at
        )
        reward_sales(touched, actor=self.actor, at=self.at)
        refresh_member_metrics((sale.member_id for sale in sales.values()), at=self.at)
        for return_id, (place, given) in zip(ids, taken, strict=True):
            sale = sales.get(_key(given)) if given.order_no else None
            sale_id = None if sale is None else sale.pk
            self.answers[place] = DocumentOutcome(
                "return", given.source, given.return_no, "booked", sale_id=sale_id, return_id=return_id
            )
            events.publish(ReturnRecorded(return_id, sale_id or 0))
        return self.answers

    def _sort_out(self, returns: Sequence[Numbered], references: References) -> list[Numbered]:
        asked = {(given.source, given.return_no) for _place, given in returns}
        rows = SaleReturn.objects.filter(
            source__in={source for source, _no in asked}, return_no__in={number for _source, number in asked}
        )
        known = {(row.source, row.return_no): row for row in rows}
        fresh: dict[tuple[str, str], Numbered] = {}
        for place, given in sorted(returns, key=lambda one: (one[1].returned_at, one[1].return_no, one[0])):
            key = (given.source, given.return_no)
            try:
                row = known.get(key)
                if row is not None:
                    if bytes(row.digest) != digest_of_return(given):
                        raise DocumentConflict
                    self.answers[place] = DocumentOutcome(
                        "return",
                        given.source,
                        given.return_no,
                        "repeated",
                        sale_id=row.sale_id,
                        return_id=row.pk,
                    )
                    continue
                references.check(given)
                fresh[key] = (place, given)
            except Refusal as refusal:
                self.answers[place] = refusal
        return list(fresh.values())

    def _lock_orders(self, fresh: Sequence[Numbered], references: References) -> dict[tuple[str, str], Sale]:
        """The current orders of these returns, with their members locked before them."""
        keys = {_key(given) for _place, given in fresh if given.order_no}
        found = Sale.objects.current().filter(
            source__in={source for source, _no in keys}, order_no__in={order_no for _source, order_no in keys}
        )
        before = {key: row for row in found if (key := (row.source, row.order_no)) in keys}
        members = {row.member_id for row in before.values()}
        members |= {references.member(given) for _place, given in fresh}
        lock_known_members(members=members)
        hold_coupons_of(sale_ids=[row.pk for row in before.values()])
        locked = Sale.objects.lock_all(row.pk for row in before.values())
        if any(not row.is_current or row.member_id not in members for row in locked):
            raise Again
        return {(row.source, row.order_no): row for row in locked}

    def _take_back(
        self, one: Numbered, sales: dict[tuple[str, str], Sale], lines: Mapping[int, dict[int, SaleLine]]
    ) -> bool:
        """The lines and the order have so much less left; a refusal leaves them as they were."""
        place, given = one
        if not given.order_no:
            return True
        sale = sales.get(_key(given))
        try:
            if sale is None:
                raise UnknownOrder(field="order_no", value=given.order_no)
            taken = [(line, _line_of(line, lines[sale.pk])) for line in given.lines]
            _check_rest(taken)
        except Refusal as refusal:
            self.answers[place] = refusal
            return False
        for line, sold in taken:
            sold.returned_quantity += line.quantity
            sold.returned_fen += line.amount_fen
        sale.returned_unit_count += sum(line.quantity for line in given.lines)
        sale.returned_fen += given.amount_fen
        return True

    def _write(
        self, taken: Sequence[Numbered], sales: dict[tuple[str, str], Sale], references: References
    ) -> list[int]:
        ids = draw_ids(model=SaleReturn, count=len(taken))
        numbered = list(zip(ids, new_public_ids(len(ids)), (given for _place, given in taken), strict=True))
        copy_rows(
            model=SaleReturn, names=_RETURN, rows=(self._row(*one, sales, references) for one in numbered)
        )
        copy_rows(model=SaleReturnLine, names=_LINE, rows=(
                (return_id, number, line.line_number, references.product(line.product_code), line.quantity,
                 line.amount_fen)
                for return_id, _public_id, given in numbered
                for number, line in enumerate(given.lines, 1)
            ),
        )  # fmt: skip
        return ids

    def _row(
        self,
        return_id: int,
        public_id: str,
        given: ReturnDocument,
        sales: dict[tuple[str, str], Sale],
        references: References,
    ) -> tuple[object, ...]:
        sale = sales.get(_key(given)) if given.order_no else None
        member_id = references.member(given) if sale is None else sale.member_id
        return (
            return_id, public_id, given.source, given.return_no, digest_of_return(given), given.order_no,
            None if sale is None else sale.pk, member_id, references.store(given).store_id, given.returned_at,
            day_of(min(given.returned_at, self.at)), given.amount_fen, sum(line.quantity for line in given.lines), self.at,
        )  # fmt: skip


def _keep_rests(
    taken: Sequence[Numbered],
    sales: Mapping[tuple[str, str], Sale],
    lines: Mapping[int, Mapping[int, SaleLine]],
) -> None:
    """What orders have left after these returns stands in their rows."""
    touched = {_key(given): sales[_key(given)] for _place, given in taken if given.order_no}
    if not touched:
        return
    moved = {
        (key, line.line_number): lines[touched[key].pk][line.line_number or 0]
        for _place, given in taken
        if (key := _key(given)) in touched
        for line in given.lines
    }
    rows = sorted(touched.values(), key=lambda sale: sale.pk)
    ask(
        _KEEP,
        {
            "lines": array_words(line.pk for line in moved.values()),
            "line_units": array_words(line.returned_quantity for line in moved.values()),
            "line_fens": array_words(line.returned_fen for line in moved.values()),
            "sales": array_words(sale.pk for sale in rows),
            "units": array_words(sale.returned_unit_count for sale in rows),
            "fens": array_words(sale.returned_fen for sale in rows),
        },
    )


def _key(given: ReturnDocument) -> tuple[str, str]:
    return (given.source, given.order_no)


def _line_of(line: ReturnLine, lines: dict[int, SaleLine]) -> SaleLine:
    sold = lines.get(line.line_number or 0)
    if sold is None:
        raise ReturnTooLarge(field="line_number")
    return sold


def _check_rest(taken: Sequence[tuple[ReturnLine, SaleLine]]) -> None:
    """No line gives back more than it has left, also when a document names it twice; the last unit takes the rest."""
    rests = {
        sold.number: [sold.quantity - sold.returned_quantity, sold.amount_fen - sold.returned_fen]
        for _l, sold in taken
    }
    for line, sold in taken:
        rest = rests[sold.number]
        rest[0] -= line.quantity
        rest[1] -= line.amount_fen
    if any(units < 0 or fen < 0 for units, fen in rests.values()):
        raise ReturnTooLarge(field="lines")
