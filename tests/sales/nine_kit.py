"""The nine numbers worked out in plain Python from orders, scans, redemptions, behaviours and bindings."""

import datetime as dt
from collections import defaultdict
from typing import Any

from django.apps import apps

from core import clock
from core.clock import SHANGHAI
from members.services.behaviour_partitions import make_partitions
from sales import selectors, services
from sales.contracts import PeriodName
from sales.contracts.nine import NineNumbers
from sales.models import NineTotal, Sale
from tests.sales.kit import TILL

Key = tuple[str, int, str, dt.date, str]
PERIODS: tuple[PeriodName, ...] = ("day", "week", "month", "quarter")


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), SHANGHAI)


def fold(at: dt.datetime | None = None) -> int:
    """Whatever is due."""
    return services.work_nine(actor=TILL, at=at)


def numbers(day: dt.date, period: Any = "day", scope: Any = "chain", ref: int = 0) -> dict[str, NineNumbers]:
    """What the board says of the period in which the day lies."""
    board = selectors.get_nine(scope=scope, ref=ref, span=selectors.span_of(period, day))
    return {str(stood): found for stood, found in board.now.numbers.items()}


def scan(member_id: int, store_id: int, at: dt.datetime, key: str) -> None:
    """She scanned a code of the store."""
    code, _is_new = apps.get_model("guides", "ChannelCode").objects.get_or_create(
        store_id=store_id, kind="store", defaults={"created_at": at}
    )
    apps.get_model("guides", "ChannelScan").objects.create(
        channel_code=code, scene=code.code, member_id=member_id, request_key=key, is_new_follower=False,
        outcome="already_yours", scanned_at=at,
    )  # fmt: skip


def look(member_id: int, at: dt.datetime, number: int = 0) -> None:
    """She opened the mini-program."""
    make_partitions(months=[clock.business_day(at)])
    apps.get_model("members", "Behaviour").objects.create(
        happened_at=at, received_at=at, member_id=member_id, kind="page_viewed", subject="home", door="mini",
        mark=f"00000000-0000-0000-0000-0000000000{number:02}",
    )  # fmt: skip


def stored() -> dict[Key, tuple[int, int, int, int]]:
    """What the fold says, but for rows of noughts."""
    rows = NineTotal.objects.exclude(came_count=0, buyer_count=0, order_count=0, net_fen=0)
    return {
        (row.scope, row.ref, row.period, row.starts_on, row.stood): (
            row.came_count, row.buyer_count, row.order_count, row.net_fen,
        )
        for row in rows
    }  # fmt: skip


def expected(active_days: int = 30) -> dict[Key, tuple[int, int, int, int]]:
    """What it should say: for each member, place and period whether she came and bought, by how she stood."""
    found: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    living = (
        apps.get_model("members", "Member").objects.filter(merged_into__isnull=True).exclude(stage="erased")
    )
    stores = {place.store_id: place for place in _places()}
    for member_id in living.values_list("pk", flat=True):
        days = _days(member_id)
        bought = sorted({day for day, rows in days.items() if any(orders for _store, orders, _fen in rows)})
        for period in PERIODS:
            for start in {selectors.span_of(period, day).starts_on for day in days}:
                span = selectors.span_of(period, start)
                before = [day for day in bought if day < start]
                stood = (
                    "new"
                    if not before
                    else "returning"
                    if (start - before[-1]).days <= active_days
                    else "dormant"
                )
                here: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
                for day in (day for day in days if span.starts_on <= day < span.ends_on):
                    guide_id = _binding(member_id, day)[0]
                    for store_id, orders, fen in days[day]:
                        for place in _places_of(stores.get(store_id), store_id, guide_id):
                            here[place][0] += orders
                            here[place][1] += fen
                for (scope, ref), (orders, fen) in here.items():
                    one = found[scope, ref, period, start, stood]
                    one[0] += 1
                    one[1] += orders > 0
                    one[2] += orders
                    one[3] += fen
    return {key: (one[0], one[1], one[2], one[3]) for key, one in found.items()}


def _places() -> Any:
    from guides import selectors as guide_selectors

    return guide_selectors.list_all_store_places()


def _places_of(place: Any, store_id: int, guide_id: int) -> set[tuple[str, int]]:
    told = {("chain", 0)}
    told |= {("store", store_id)} if store_id else set()
    told |= {("guide", guide_id)} if guide_id else set()
    if place is not None:
        told |= {("region", region_id) for region_id in place.region_ids}
        told |= {("dealer", place.dealer_id)} if place.dealer_id else set()
    return told


def _days(member_id: int) -> dict[dt.date, list[tuple[int, int, int]]]:
    """Day → (store, orders that stand, fen) for each trace."""
    days: dict[dt.date, list[tuple[int, int, int]]] = defaultdict(list)
    for sale in Sale.objects.current().filter(member_id=member_id):
        stands = sale.returned_unit_count < sale.unit_count
        days[sale.business_on].append(
            (sale.store_id, int(stands), sale.amount_fen - sale.returned_fen if stands else 0)
        )
    scans = apps.get_model("guides", "ChannelScan").objects.filter(member_id=member_id)
    for at, store_id in scans.values_list("scanned_at", "channel_code__store_id"):
        days[clock.business_day(at)].append((store_id or 0, 0, 0))
    redeemed = apps.get_model("coupons", "Redemption").objects.filter(
        coupon__member_id=member_id, reversed_at__isnull=True
    )
    for at, store_id in redeemed.values_list("redeemed_at", "store_id"):
        days[clock.business_day(at)].append((store_id, 0, 0))
    behaviours = apps.get_model("members", "Behaviour").objects.filter(member_id=member_id)
    for at in behaviours.values_list("happened_at", flat=True):
        day = clock.business_day(at)
        days[day].append((_binding(member_id, day)[1], 0, 0))
    return days


def _binding(member_id: int, day: dt.date) -> tuple[int, int]:
    """Guide and store of hers at the end of the day; 0 for none."""
    end = clock.day_bounds(day)[1]
    rows = apps.get_model("guides", "Binding").objects.filter(member_id=member_id, bound_at__lt=end)
    for row in rows:
        if row.ended_at is None or row.ended_at >= end:
            return row.guide_id, row.store_id
    return 0, 0
