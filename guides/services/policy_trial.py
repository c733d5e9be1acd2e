"""What a binding policy would have done, before it is switched on."""

import dataclasses
import datetime as dt

from django.db.models import QuerySet

from core.errors import NotFound
from guides.contracts import PolicyTrial
from guides.models import Binding, ChannelScan, Guide, GuideState, Region, ScanOutcome, Store
from guides.services import policy

_SETTLED = (ScanOutcome.BOUND, ScanOutcome.ALREADY_YOURS, ScanOutcome.KEPT_BY_OTHER)


@dataclasses.dataclass(frozen=True, slots=True)
class _Hold:
    """Whose she is in the trial; no guide means somebody of that store, whom the trial does not guess."""

    guide_id: int | None
    store_id: int
    bound_at: dt.datetime


def dry_run_policy(*, protected_days: int | None, region_id: int | None, since: dt.datetime) -> PolicyTrial:
    """How many members would have changed guide since then under this policy. Writes nothing.

    Replays the recorded scans in their order, from the bindings that held at `since`, for members whose guide
    works in the region or below it (None: everywhere). Guides who have left by today count as left; scans
    that bound nobody for another reason (unknown, closed, left) are no part of it.
    """
    terms = policy.Terms(protected_days, region_id)
    places = _Places(region_id)
    held = {
        binding.member_id: _Hold(binding.guide_id, binding.store_id, binding.bound_at)
        for binding in Binding.objects.on(since)
    }
    really_held = {member_id: hold.guide_id for member_id, hold in held.items()}
    scanners: set[int] = set()
    changed: set[int] = set()
    really_changed: set[int] = set()
    scan_count = 0
    for scan in _scans(since).iterator(chunk_size=2000):
        assert scan.channel_code is not None
        hold = held.get(scan.member_id)
        store_id = scan.channel_code.store_id
        incoming = _Hold(scan.channel_code.guide_id, store_id, scan.scanned_at)
        if places.covers(hold.store_id if hold is not None else store_id):
            scan_count += 1
            scanners.add(scan.member_id)
            if (
                scan.outcome == ScanOutcome.BOUND
                and really_held.get(scan.member_id, scan.guide_id) != scan.guide_id
            ):
                really_changed.add(scan.member_id)
        if hold is None:
            held[scan.member_id] = dataclasses.replace(incoming, guide_id=scan.guide_id)
        elif places.covers(hold.store_id) and _loses(hold, incoming, terms, places):
            held[scan.member_id] = incoming
            changed.add(scan.member_id)
        if scan.outcome == ScanOutcome.BOUND:
            really_held[scan.member_id] = scan.guide_id
    return PolicyTrial(
        scan_count=scan_count,
        member_count=len(scanners),
        changed_member_count=len(changed),
        really_changed_member_count=len(really_changed),
    )


class _Places:
    """Today's stores and guides, read once."""

    def __init__(self, region_id: int | None) -> None:
        stores = Store.objects.all()
        if region_id is not None:
            region = Region.objects.filter(pk=region_id).first()
            if region is None:
                raise NotFound
            stores = stores.filter(region__path__startswith=region.path)
        self._store_ids = set(stores.values_list("pk", flat=True))
        self._left = set(Guide.objects.filter(state=GuideState.LEFT).values_list("pk", flat=True))

    def covers(self, store_id: int) -> bool:
        return store_id in self._store_ids

    def has_left(self, guide_id: int | None) -> bool:
        return guide_id in self._left


def _scans(since: dt.datetime) -> QuerySet[ChannelScan]:
    scans = ChannelScan.objects.filter(
        scanned_at__gte=since, outcome__in=_SETTLED, channel_code__isnull=False
    )
    return scans.select_related("channel_code").order_by("scanned_at", "pk")


def _loses(hold: _Hold, incoming: _Hold, terms: policy.Terms, places: _Places) -> bool:
    is_active = not places.has_left(hold.guide_id)
    if incoming.guide_id is None and is_active and incoming.store_id == hold.store_id:
        return False
    # 0 is no guide's id: "somebody of that store" differs from everyone.
    existing = policy.Existing(hold.guide_id or 0, is_active, hold.bound_at)
    return (
        policy.decide(
            existing, incoming_guide_id=incoming.guide_id, terms=terms, at=incoming.bound_at
        ).verdict
        == "rebind"
    )
