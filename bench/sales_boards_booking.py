"""What totals cost a single order, for `bench.sales_boards`, in a process with the database's address: prints milliseconds as
JSON.

Orders of one line by guides of all stores are told one after the other through the service, in turns with moves of long
boards written down, with no board watched, and with entries that leave the totals alone.
"""

import datetime as dt
import json
import random
import sys
import time
from typing import Any, Final

import django

_SOLD_AT: Final = dt.datetime(2026, 5, 6, 4, tzinfo=dt.UTC)
_ORDERS: Final = 20
_WAYS: Final = ("watched", "plain", "none")
_WATCH: Final = """
UPDATE sales_boardsize SET marks = %s::bigint[], reached = %s::int[]
WHERE added >= 1000 AND (period, starts_on) IN (('day', '2026-05-06'), ('week', '2026-05-04'), ('month', '2026-05-01'))
"""


def main(rounds: int, guides: int, stores: int) -> None:
    """All rounds."""
    django.setup()
    from django.db import connection

    from core.compiled import ask
    from sales.models import PerformanceEntry
    from sales.services import reconciling
    from sales.services.copying import Rows, columns_of, insertion
    from sales.services.totals import ENTRY_COLUMNS, write_entries

    taken: dict[str, list[float]] = {way: [] for way in _WAYS}
    with_totals = write_entries

    def without_totals(*, lines: Any, moves: Any) -> int:
        if lines:
            columns = columns_of(Rows(PerformanceEntry, ENTRY_COLUMNS, lines))
            ask(insertion(model=PerformanceEntry, names=ENTRY_COLUMNS), columns)
        return len(lines)

    chance = random.Random(5)
    for turn in range(rounds + 1):
        for way in _WAYS if turn % 2 else reversed(_WAYS):
            with connection.cursor() as cursor:
                cursor.execute(_WATCH, [[], []] if way == "watched" else [None, None])
            vars(reconciling)["write_entries"] = without_totals if way == "none" else with_totals
            askers = [chance.randrange(1, guides) for _order in range(_ORDERS)]
            began = time.perf_counter()
            for guide in askers:
                _tell(f"{turn}-{way}-{time.time_ns()}", guide, 1 + guide % stores)
            if turn:  # the first makes products and plans
                taken[way].append((time.perf_counter() - began) * 1_000 / _ORDERS)
    print(json.dumps(taken))


def _tell(order_no: str, guide: int, store: int) -> None:
    from core.actor import Actor
    from sales import services
    from sales.contracts import OrderDocument, OrderLine

    line = OrderLine(
        product_code="bench",
        quantity=1,
        list_fen=9_900,
        amount_fen=9_900,
        category_code="bench",
        product_name="bench",
    )
    document = OrderDocument(
        order_no=order_no, lines=(line,), source="pos", sold_at=_SOLD_AT, store_code=f"S{store}", channel="store",
        serving_guide=f"G{guide}", amount_fen=9_900,
    )  # fmt: skip
    told = services.record_documents(documents=(document,), actor=Actor.system("bench"))
    if [one.outcome for one in told] != ["booked"]:
        raise RuntimeError(told)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:4]))
