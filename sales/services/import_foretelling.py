"""What an import of orders would do, counted before anything is written."""

from collections.abc import Callable, Sequence
from typing import Final

from sales.contracts import IntakeCounts
from sales.models import IntakeDocument, IntakeJob, IntakeKind, Sale, SaleReturn
from sales.services.import_staging import member_key
from sales.services.references import Named, are_known

_SLICE: Final = 20_000
_FIELDS: Final = (
    "place",
    "number",
    "revision",
    "digest",
    "store_code",
    "serving_guide",
    "sharing_guide",
    "member",
)
Known = dict[str, tuple[int, bytes]]


def foretell(*, job: IntakeJob, still_ours: Callable[[], None]) -> IntakeCounts:
    """How many of the staged documents are new, are there already, correct one, or will wait for a person.

    Looks at numbers and names only: what a return leaves of its order, say, is seen when it is booked. `still_ours`
    is called after every slice.
    """
    booked = corrected = repeated = superseded = held = mark = 0
    while rows := list(
        IntakeDocument.objects.filter(job=job, place__gt=mark)
        .order_by("place")
        .values_list(*_FIELDS)[:_SLICE]
    ):
        mark = rows[-1][0]
        known = _known(job, [row[1] for row in rows])
        named = [Named(store, tuple(filter(None, (serving, sharing))), member_key(member))
                 for _place, _number, _revision, _digest, store, serving, sharing, member in rows]  # fmt: skip
        for row, is_known in zip(rows, are_known(named), strict=True):
            number, revision, digest = row[1], row[2], bytes(row[3])
            there = known.get(number)
            if there is None:
                booked, held = booked + is_known, held + (not is_known)
                if is_known:
                    known[number] = (revision, digest)
            elif there == (revision, digest):
                repeated += 1
            elif revision < there[0]:
                superseded += 1
            elif revision > there[0] and is_known:
                corrected += 1
            else:
                held += 1
        still_ours()
    return IntakeCounts(
        booked=booked, corrected=corrected, repeated=repeated, superseded=superseded, held=held
    )


def _known(job: IntakeJob, numbers: Sequence[str]) -> Known:
    if job.kind == IntakeKind.ORDER:
        sales = Sale.objects.current().filter(source=job.source, order_no__any_of=numbers)
        rows = sales.values_list("order_no", "revision", "digest")
        return {number: (revision, bytes(digest)) for number, revision, digest in rows}
    given = SaleReturn.objects.filter(source=job.source, return_no__any_of=numbers)
    return {number: (0, bytes(digest)) for number, digest in given.values_list("return_no", "digest")}
