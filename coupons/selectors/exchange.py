"""Exchange codes: their fingerprints and their numbers."""

import unicodedata
from typing import Any, Final

from django.db.models import Count, Q, QuerySet

from core import codes, crypto
from coupons.contracts import ExchangeSetCard, ExchangeSummary
from coupons.errors import NoSuchExchangeSet
from coupons.models import (
    Coupon,
    ExchangeCode,
    ExchangeCodeState,
    ExchangeKind,
    ExchangeSet,
    ExchangeSetState,
)

LONGEST_CODE: Final = 40
_CONTEXT: Final = "coupons.exchange_codes"
_MARK: Final = "mark"


def normal_code(text: str) -> str:
    """What was typed as it is kept: full-width signs as narrow ones, no blanks and dashes, upper case."""
    return codes.normalize("".join(unicodedata.normalize("NFKC", text[:200]).split()))


def code_index(normal: str) -> str:
    """The fingerprint to store of a code in its normal form."""
    return crypto.blind_index(normal, context=_CONTEXT)


def code_indexes(text: str) -> list[str]:
    """The fingerprints under which a typed code may be kept; none for what no code can be."""
    normal = normal_code(text)
    return crypto.blind_indexes(normal, context=_CONTEXT) if 0 < len(normal) <= LONGEST_CODE else []


def key_mark() -> str:
    """Tells sets whose fingerprints were made with the first index key from older ones."""
    return crypto.blind_index(_MARK, context=f"{_CONTEXT}.mark")


def source_key_of(row: ExchangeSet) -> str:
    """The source of all coupons that came from a set."""
    return f"set:{row.public_id}"


def exchange_set_card_of(row: ExchangeSet) -> ExchangeSetCard:
    """What may be shown of a set."""
    is_open = row.state == ExchangeSetState.OPEN
    return ExchangeSetCard(
        id=row.pk,
        public_id=row.public_id,
        batch_id=row.batch_id,
        name=row.name,
        kind=row.kind,  # type: ignore[arg-type]
        code_count=row.code_count,
        is_voided=not is_open,
        may_download=is_open and row.kind == ExchangeKind.GENERATED and row.taken_at is None,
    )


def get_exchange_set(set_id: int) -> ExchangeSetCard:
    """Raises NoSuchExchangeSet."""
    row = ExchangeSet.objects.filter(pk=set_id).first()
    if row is None:
        raise NoSuchExchangeSet
    return exchange_set_card_of(row)


def sum_exchange_sets(set_ids: list[int]) -> dict[int, ExchangeSummary]:
    """The numbers of many sets in three queries."""
    rows = list(ExchangeSet.objects.filter(pk__in=set_ids))
    counted: dict[int, Any] = {
        row["exchange_set_id"]: row
        for row in ExchangeCode.objects.filter(exchange_set__in=set_ids)
        .values("exchange_set_id")
        .annotate(
            used=Count("pk", filter=Q(state=ExchangeCodeState.USED)),
            voided=Count("pk", filter=Q(state=ExchangeCodeState.VOIDED)),
        )
    }
    phrases = [source_key_of(row) for row in rows if row.kind == ExchangeKind.SHARED]
    used_phrases: dict[str, int] = dict(
        Coupon.objects.filter(source_key__in=phrases).values_list("source_key").annotate(n=Count("pk"))
    )
    found = {}
    for row in rows:
        sums: dict[str, Any] = counted.get(row.pk, {"used": 0, "voided": 0})
        used = used_phrases.get(source_key_of(row), 0) if row.kind == ExchangeKind.SHARED else sums["used"]
        found[row.pk] = ExchangeSummary(row.code_count, used, sums["voided"])
    return found


def find_exchange_code_ids(text: str) -> QuerySet[Any, int]:
    """The row of a typed code, for the desk's search; unevaluated."""
    return ExchangeCode.objects.filter(code_index__in=code_indexes(text)).values_list("pk", flat=True)


def count_older_exchange_sets() -> int:
    """Sets that are still exchanged and whose fingerprints need an older index key; 0 before that key may go."""
    open_sets = ExchangeSet.objects.filter(state=ExchangeSetState.OPEN, code_count__gt=0)
    return open_sets.exclude(key_mark=key_mark()).count()
