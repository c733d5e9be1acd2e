"""The rounds of bench.commission, in a process of its own: `python -m bench.commission_rounds rounds floor`."""

import datetime as dt
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from core.actor import Actor  # noqa: E402
from sales import selectors, services  # noqa: E402
from sales.models import CommissionStatement  # noqa: E402
from sales.selectors.commission_sources import list_terms  # noqa: E402

_ACTOR = Actor.system("bench")
_AT_ONCE = 100
_BEFORE, _MONTH = dt.date(2026, 9, 1), dt.date(2026, 10, 1)


def main(rounds: int, floor: str) -> None:
    """Prints one line of JSON: seconds by name."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    found: dict[str, list[float]] = {
        name: [] for name in ("floor", "page", "list", "trial", "prepare", "stored", "proof", "retire")
    }
    found["prepare"].append(_seconds(lambda: services.prepare_commission(month_on=_BEFORE, actor=_ACTOR)))
    print(f"prepared in {found['prepare'][0]:.1f} s", file=sys.stderr, flush=True)
    found["stored"].append(_seconds(lambda: _page(_BEFORE)))
    found["proof"].append(_seconds(lambda: services.prove_commission(month_on=_BEFORE)))
    payable = sum(CommissionStatement.objects.values_list("payable_fen", flat=True))
    services.close_commission(month_on=_BEFORE, payable_fen=payable, actor=_ACTOR)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    terms = list_terms()
    without = [one for one in terms if one.position != 1]
    told: list[Any] = []
    for _round in range(rounds):
        found["floor"].append(_seconds(lambda: _ask(floor, told)))
        found["page"].append(_seconds(lambda: _page(_MONTH)))
        found["list"].append(_seconds(lambda: told.append(selectors.list_commissions(_MONTH))))
        found["trial"].append(_seconds(lambda: selectors.try_commissions(_MONTH, [without, terms])))
        _compare(told[-2], told[-1])
    found["retire"].append(
        _seconds(lambda: services.reopen_commission(month_on=_BEFORE, reason="bench", actor=_ACTOR))
    )
    print(json.dumps(found))


def _page(month_on: dt.date) -> None:
    """What the first page of a month reads: whose statements there are, and a hundred of them."""
    guides = selectors.list_paid_guides(month_on)
    if len(selectors.list_commissions(month_on, guides[:_AT_ONCE])) != _AT_ONCE:
        raise RuntimeError("the page is not full")


def _ask(statement: str, told: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        told.append(cursor.fetchone())


def _compare(floor: Any, rows: Any) -> None:
    """Guides, net sales and bounties to the fen; what is earned but for what is rounded otherwise."""
    bonus = sum(one.bonus_fen for one in rows)
    sales, earned = sum(one.sales_fen for one in rows), sum(one.earned_fen for one in rows)
    if (len(rows), sales, bonus) != (floor[0], int(floor[1]), int(floor[3])):
        raise RuntimeError(f"they add up to something else: {floor} and {len(rows), sales, earned, bonus}")
    if abs(earned - floor[2]) > len(rows):
        raise RuntimeError(f"they earn something else: {floor[2]} and {earned}")


def _seconds(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
