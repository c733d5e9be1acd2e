"""Rules tried on sales of the past: each sale is decided again in the head, and who would win and lose is summed up."""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from core.actor import Actor
from core.shares import split
from guides import selectors as guide_selectors
from sales.contracts import Share
from sales.errors import NoSuchRule
from sales.models import Attribution, AttributionRule, AttributionShare, DeskJob, Sale, SaleLine
from sales.services.attributing import RuleTerms, Situation, decide
from sales.services.booking import terms_of_rule
from sales.services.references import exclusive_guides, sharing_guides

_CHUNK: Final = 2_000
_STORES: Final = 20  # of one slice
# What a job answers of pairs; sums per guide and store are whole.
_MOST_PAIRS: Final = 2_000
Holder = str  # "g12": guide 12; "s3": store 3 alone


@dataclasses.dataclass(frozen=True, slots=True)
class TrialAsked:
    """What a trial goes through, as a job keeps it."""

    terms: dict[str, Any]
    store_count: int


def begin_trial(*, since: dt.date, until: dt.date, switched_id: int | None) -> TrialAsked:
    """The rules as they are now, that one switched the other way. Raises NoSuchRule."""
    rows = list(AttributionRule.objects.order_by("position"))
    if switched_id is not None and switched_id not in {row.pk for row in rows}:
        raise NoSuchRule
    rule_ids = [row.pk for row in rows if row.is_active != (row.pk == switched_id)]
    terms = {
        "since": since.isoformat(),
        "until": until.isoformat(),
        "rules": rule_ids,
        "switched": switched_id,
    }
    return TrialAsked(terms, len(guide_selectors.list_all_store_places()))


def try_slice(job: DeskJob, *, actor: Actor, at: dt.datetime) -> bool:
    """The sales of the next stores are decided; whether there are more."""
    since, until = (dt.date.fromisoformat(job.terms[name]) for name in ("since", "until"))
    places = guide_selectors.list_all_store_places()
    ahead = [place.store_id for place in places if place.store_id > job.last_id]
    if not ahead:
        return False
    stores = ahead[:_STORES]
    rows = AttributionRule.objects.in_bulk(job.terms["rules"])
    rules = sorted(map(terms_of_rule, rows.values()), key=lambda rule: rule.position)
    sums = Sums(job.result)
    sales = Sale.objects.current().filter(store_id__in=stores, business_on__gte=since, business_on__lt=until)
    chunk: list[Sale] = []
    for sale in sales.order_by("pk").iterator(chunk_size=_CHUNK):
        chunk.append(sale)
        if len(chunk) == _CHUNK:
            weigh(sales=chunk, rules=rules, sums=sums)
            chunk = []
    weigh(sales=chunk, rules=rules, sums=sums)
    job.result = sums.told()
    job.last_id = stores[-1]
    job.done_count += len(stores)
    return len(ahead) > len(stores)


class Sums:
    """What a trial found so far. Amounts are fen left after returns."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.sale_count: int = told.get("sale_count", 0)
        self.manual_count: int = told.get("manual_count", 0)
        self.changed_count: int = told.get("changed_count", 0)
        self.moved_fen: int = told.get("moved_fen", 0)
        self.holders: dict[Holder, list[int]] = defaultdict(lambda: [0, 0], told.get("holders", {}))
        self.stores: dict[str, list[int]] = defaultdict(lambda: [0, 0], told.get("stores", {}))
        self.pairs: dict[str, list[int]] = defaultdict(lambda: [0, 0], told.get("pairs", {}))

    def add(self, before: dict[tuple[Holder, int], int], after: dict[tuple[Holder, int], int]) -> None:
        """One sale belongs so now, and would belong so."""
        self.sale_count += 1
        for place, side in enumerate((before, after)):
            for (holder, store_id), fen in side.items():
                self.holders[holder][place] += fen
                self.stores[str(store_id)][place] += fen
        if before == after:
            return
        self.changed_count += 1
        lost = _rests(before, after)
        won = _rests(after, before)
        self.moved_fen += sum(fen for _holder, fen in lost)
        for loser, winner, fen in _matched(lost, won):
            pair = self.pairs[f"{loser}>{winner}"]
            pair[0] += fen
            pair[1] += 1

    def told(self) -> dict[str, Any]:
        """As a job keeps it."""
        pairs = sorted(self.pairs.items(), key=lambda pair: -pair[1][0])[:_MOST_PAIRS]
        return {
            "sale_count": self.sale_count,
            "manual_count": self.manual_count,
            "changed_count": self.changed_count,
            "moved_fen": self.moved_fen,
            "holders": dict(self.holders),
            "stores": dict(self.stores),
            "pairs": dict(pairs),
        }


def weigh(*, sales: Sequence[Sale], rules: Sequence[RuleTerms], sums: Sums) -> None:
    """Each of these sales by the rules beside the decision that counts now. What a person decided stays decided."""
    live = _live_shares([sale.pk for sale in sales])
    manual = set(
        Attribution.objects.live()
        .filter(sale__in=[sale.pk for sale in sales])
        .exclude(reason="")
        .values_list("sale_id", flat=True)
    )
    sums.manual_count += len(manual)
    sales = [sale for sale in sales if sale.pk not in manual]
    stores = guide_selectors.list_store_places({sale.store_id for sale in sales})
    serving = guide_selectors.list_guide_places(
        {sale.serving_guide_id for sale in sales if sale.serving_guide_id}
    )
    sharing = sharing_guides([(sale.sharing_guide_id, sale.sold_at) for sale in sales])
    exclusives = exclusive_guides([(sale.member_id, sale.sold_at) for sale in sales])
    brands = _brands([sale.pk for sale in sales]) if any(rule.brands for rule in rules) else {}
    for sale, exclusive, shared in zip(sales, exclusives, sharing, strict=True):
        situation = Situation(
            store=stores[sale.store_id],
            channel=sale.channel,
            business_on=sale.business_on,
            serving=serving.get(sale.serving_guide_id or 0),
            exclusive=exclusive,
            sharing=shared,
            brands=frozenset(brands.get(sale.pk, ())),
        )
        decided = decide(rules=rules, situation=situation)
        sums.add(_parts(sale, live.get(sale.pk, [])), _parts(sale, decided.shares))


def _parts(sale: Sale, shares: Iterable[Any]) -> dict[tuple[Holder, int], int]:
    shares = list(shares)
    left = sale.amount_fen - sale.returned_fen
    parts = split(amount=left, weights=[share.share_bp for share in shares]) if shares else []
    found: dict[tuple[Holder, int], int] = {}
    for share, fen in zip(shares, parts, strict=True):
        holder = f"s{share.store_id}" if share.guide_id is None else f"g{share.guide_id}"
        found[(holder, share.store_id)] = fen
    return found


def _brands(sale_ids: Sequence[int]) -> dict[int, set[str]]:
    """Of each sale's goods, as products are branded now."""
    found: dict[int, set[str]] = defaultdict(set)
    rows = SaleLine.objects.filter(sale_id__in=sale_ids).values_list("sale_id", "product__brand")
    for sale_id, brand in rows:
        found[sale_id].add(brand)
    return found


def _live_shares(sale_ids: Sequence[int]) -> dict[int, list[Share]]:
    found: dict[int, list[Share]] = defaultdict(list)
    rows = AttributionShare.objects.filter(
        attribution__sale_id__in=sale_ids, attribution__ended_at__isnull=True
    ).order_by("attribution_id", "place")
    for sale_id, role, guide_id, store_id, share_bp in rows.values_list(
        "attribution__sale_id", "role", "guide_id", "store_id", "share_bp"
    ):
        found[sale_id].append(Share(role, guide_id, store_id, share_bp))  # type: ignore[arg-type]
    return found


def _rests(
    one: dict[tuple[Holder, int], int], other: dict[tuple[Holder, int], int]
) -> list[tuple[Holder, int]]:
    """What holders have more in the one than in the other."""
    more: dict[Holder, int] = defaultdict(int)
    for side, sign in ((one, 1), (other, -1)):
        for (holder, _store_id), fen in side.items():
            more[holder] += sign * fen
    return [(holder, fen) for holder, fen in sorted(more.items()) if fen > 0]


def _matched(
    lost: list[tuple[Holder, int]], won: list[tuple[Holder, int]]
) -> list[tuple[Holder, Holder, int]]:
    """Each fen that is lost goes to somebody who wins; both sums are equal."""
    found: list[tuple[Holder, Holder, int]] = []
    left = dict(won)
    for loser, fen in lost:
        for winner in list(left):
            moved = min(fen, left[winner])
            if moved:
                found.append((loser, winner, moved))
                fen -= moved
                left[winner] -= moved
    return found
