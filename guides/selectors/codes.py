"""Channel codes."""

import datetime as dt
from typing import Any, Final

from django.db.models import F, Q, QuerySet

from core import clock
from core.compiled import Given, compiled
from core.errors import NotFound
from guides.contracts import ChannelCodeCard, CodePlace, ScanCard
from guides.models import ChannelCode, ChannelScan, CodeKind, CodeTerm

RENEW_BEFORE: Final = dt.timedelta(days=3)
# WeChat counts in whole seconds from when it was asked.
_TO_THE_END: Final = dt.timedelta(minutes=1)
_SCANS: Final = 500


def code_card_of(code: ChannelCode, at: dt.datetime) -> ChannelCodeCard:
    """The card of a code as of an instant."""
    return ChannelCodeCard(
        id=code.pk,
        code=code.code,
        kind="store" if code.kind == CodeKind.STORE else "guide",
        qr_content=code.qr_url,
        is_open=code.closed_at is None and (code.valid_until is None or code.valid_until > at),
        scan_count=code.scan_count,
        follow_count=code.follow_count,
        binding_count=code.binding_count,
        expires_at=code.valid_until,
        ticket_expires_at=code.ticket_expires_at,
    )


def get_guide_code(guide_id: int, at: dt.datetime | None = None) -> ChannelCodeCard:
    """The guide's own open code, the newest when she has several. Raises NotFound."""
    at = at or clock.now()
    code = _own.first(guide_id=guide_id, at=at)
    if code is None:
        raise NotFound
    return code_card_of(code, at)


@compiled
def _own(*, guide_id: Given, at: Given) -> QuerySet[ChannelCode]:
    codes = ChannelCode.objects.open(at).own()  # type: ignore[arg-type]
    return codes.filter(kind=CodeKind.GUIDE, guide_id=guide_id).order_by("-pk")[:1]


def get_channel_code(channel_code_id: int, at: dt.datetime | None = None) -> ChannelCodeCard:
    """Any code, open or not. Raises NotFound."""
    code = ChannelCode.objects.filter(pk=channel_code_id).first()
    if code is None:
        raise NotFound
    return code_card_of(code, at or clock.now())


def get_scan(scan_id: int) -> ScanCard:
    """One scan. Raises NotFound."""
    scan = ChannelScan.objects.filter(pk=scan_id).first()
    if scan is None:
        raise NotFound
    return _scan_card(scan)


def list_code_scans(
    *, channel_code_ids: QuerySet[Any, int], without: QuerySet[Any, int], until: dt.datetime
) -> tuple[ScanCard, ...]:
    """Scans of these codes up to an instant, but for those named; the oldest first, at most five hundred."""
    scans = ChannelScan.objects.filter(channel_code_id__in=channel_code_ids, scanned_at__lte=until)
    return tuple(_scan_card(scan) for scan in scans.exclude(pk__in=without).order_by("pk")[:_SCANS])


def _scan_card(scan: ChannelScan) -> ScanCard:
    return ScanCard(
        id=scan.pk,
        channel_code_id=scan.channel_code_id,
        member_id=scan.member_id,
        outcome=scan.outcome,  # type: ignore[arg-type]
        scanned_at=scan.scanned_at,
    )


def find_open_code(code: str, at: dt.datetime | None = None) -> ChannelCodeCard | None:
    """The code with that text, if a scan may still resolve to it."""
    at = at or clock.now()
    found = ChannelCode.objects.open(at).filter(code=code.replace("\0", "")[:64]).first()
    return None if found is None else code_card_of(found, at)


def find_code_place(code: str, at: dt.datetime | None = None) -> CodePlace | None:
    """Whose open code that is: the guide and her store, or the store of a store code."""
    found = ChannelCode.objects.open(at or clock.now()).filter(code=code.replace("\0", "")[:64])
    row = found.values_list("code", "guide_id", "store_id").first()
    return None if row is None else CodePlace(*row)


def wanting_ticket(at: dt.datetime) -> Q:
    """Codes without a ticket, or with a temporary one that ends within three days and before the code does."""
    goes_on = Q(valid_until__isnull=True) | Q(ticket_expires_at__lt=F("valid_until") - _TO_THE_END)
    ends = Q(term=CodeTerm.TEMPORARY, ticket_expires_at__lt=at + RENEW_BEFORE)
    return Q(ticket="") | ends & goes_on


def list_codes_to_publish(at: dt.datetime | None = None, limit: int = 200) -> list[int]:
    """Ids of open codes that want a ticket from WeChat and that nobody is fetching, most urgent first."""
    at = at or clock.now()
    codes = ChannelCode.objects.open(at).filter(wanting_ticket(at))
    codes = codes.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=at))
    # Tickets about to end hang on a wall somewhere: before new ones (NULL sorts last).
    return list(codes.order_by("ticket_expires_at", "pk").values_list("pk", flat=True)[:limit])
