"""A link is opened: who it was, whether that is a view, and whether it proves that the guide shared the material."""

import datetime as dt
import functools
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils.encoding import force_bytes

from campaigns.contracts.materials import VIEW_MINUTES, ReaderMark
from campaigns.errors import NoSuchMaterial
from campaigns.events import MaterialShared
from campaigns.models import MaterialReader, MaterialShare, MaterialVisit
from campaigns.selectors.materials import get_shared_material
from core import clock, events
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from members import services as member_services
from members.errors import NoSuchMember
from members.selectors.behaviours import keepers_among
from wechat.errors import NoAccount
from wechat.services.accounts import get_default_official

# What a key begins with that is nobody's fingerprint.
GONE: Final = "gone:"
_SALT: Final = "campaigns.material_reader"
_AGAIN: Final = dt.timedelta(minutes=VIEW_MINUTES)
_FORGET_AFTER: Final = dt.timedelta(days=400)
_CHUNK: Final = 5_000


class _Whom(NamedTuple):
    """Fingerprints under which she may be known, the first one for a new row; and the member she is."""

    keys: tuple[str, ...]
    member_id: int | None
    is_known: bool


def note_opening(*, token: str, reader: ReaderMark, at: dt.datetime | None = None) -> bool:
    """The link was opened by this reader; whether it counts as a view. Within `VIEW_MINUTES` it is the same one, and a
    guide's own account counts nowhere, whosever link it is.

    Where WeChat says who it is, the first view of a link on a day proves that the guide shared the material, unless this
    reader proved that of another one of hers on the same day. Raises NoSuchMaterial.
    """
    at = at or clock.now()
    shared = get_shared_material(token, at=at)
    member_id = _member_of(reader)
    if _is_guides(reader, member_id):
        return False
    with transaction.atomic():
        whom = _whom(reader, member_id, at)
        link = MaterialShare.objects.lock(shared.share_id)
        # Locked after the link, as everybody does; of one person one opening at a time is looked at.
        row = MaterialReader.objects.lock(_reader_id(whom, at))
        visits = MaterialVisit.objects.filter(share=link, reader=row)
        last = visits.order_by("-on").first()
        if last is not None and at < last.last_at + _AGAIN:
            return False
        visit = _keep_visit(link, row, at)
        MaterialShare.objects.filter(pk=link.pk).update(
            view_count=F("view_count") + 1, visitor_count=F("visitor_count") + int(last is None)
        )
        if row.is_known and _carry(visit):
            events.publish(MaterialShared(visit_id=visit.pk))
    return True


def reader_keys(*, openids: Sequence[tuple[str, str]], member_id: int) -> list[str]:
    """Every fingerprint under which an opening of hers may be kept, for whoever is to forget them."""
    marks = [_key("wechat", f"{app_id}\0{openid}") for app_id, openid in openids]
    return [*marks, _key("member", str(member_id))]


def forget_readers(*, at: dt.datetime | None = None) -> int:
    """Who opened nothing for over a year is told by nothing any more; how many. What was counted stays."""
    since = (at or clock.now()) - _FORGET_AFTER
    over = MaterialReader.objects.filter(seen_at__lt=since).exclude(key__startswith=GONE)
    keys = list(over.order_by("seen_at").values_list("pk", flat=True)[:_CHUNK])
    return sum(make_unknown(reader_ids=[key]) for key in keys)


def part_readers(*, member_id: int, at: dt.datetime | None = None) -> int:
    """Of a member who does not agree (any more) to its being kept, nobody knows what she opened; how many rows. Nothing for
    anybody else."""
    with transaction.atomic():
        try:
            member_id = member_services.lock_member(member_id)
        except NoSuchMember:
            return 0
        if keepers_among([member_id], at=at):
            return 0
        return MaterialReader.objects.filter(member_id=member_id).update(member=None)


def part_unwilling_readers(*, at: dt.datetime | None = None) -> int:
    """The same of everybody, for events that were lost; how many rows."""
    parted = after = 0
    known = (
        MaterialReader.objects.filter(member_id__isnull=False)
        .order_by("member_id")
        .values_list("member_id", flat=True)
    )
    while ids := list(known.filter(member_id__gt=after)[:_CHUNK]):
        after = ids[-1]
        unwilling = set(ids) - keepers_among(ids, at=at)
        parted += sum(part_readers(member_id=member_id, at=at) for member_id in sorted(unwilling))
    return parted


def make_unknown(*, reader_ids: list[int]) -> int:
    """Nothing tells who these readers were; how many rows."""
    return sum(
        MaterialReader.objects.filter(pk=pk).update(key=GONE + secrets.token_hex(24), member=None)
        for pk in reader_ids
    )


def _key(kind: str, value: str) -> str:
    return hmac.digest(_secret(settings.SECRET_KEY), f"{kind}\0{value}".encode(), "sha256").hex()


@functools.lru_cache(maxsize=2)
def _secret(secret: str) -> bytes:
    return hashlib.sha256(_SALT.encode() + force_bytes(secret)).digest()


def _member_of(reader: ReaderMark) -> int | None:
    if reader.kind == "member":
        return int(reader.value)
    if reader.kind == "wechat":
        return member_selectors.find_member_id("openid", reader.app_id, reader.value)
    return None


def _is_guides(reader: ReaderMark, member_id: int | None) -> bool:
    """Whether it is the WeChat account of a guide at work, also where she comes as a member."""
    if reader.kind == "wechat":
        return guide_selectors.find_guide_by_login(reader.app_id, reader.value) is not None
    if member_id is None:
        return False
    try:
        app_id = get_default_official().app_id
    except NoAccount:
        return False
    openids = member_selectors.list_openids([member_id], app_id).get(member_id, [])
    return any(guide_selectors.find_guide_by_login(app_id, openid) is not None for openid in openids)


def _whom(reader: ReaderMark, member_id: int | None, at: dt.datetime) -> _Whom:
    """Locks the member: she may be merged, erased or withdraw her agreement meanwhile."""
    own = _key(reader.kind, f"{reader.app_id}\0{reader.value}" if reader.kind == "wechat" else reader.value)
    is_known = reader.kind != "browser"
    if member_id is None:
        return _Whom((own,), None, is_known)
    try:
        member_id = member_services.lock_member(member_id)
    except NoSuchMember as error:
        if reader.kind == "member":
            raise NoSuchMaterial from error
        return _Whom((own,), None, is_known)
    keys = (_key("member", str(member_id)), own)
    return _Whom(
        tuple(dict.fromkeys(keys)), member_id if keepers_among([member_id], at=at) else None, is_known
    )


def _reader_id(whom: _Whom, at: dt.datetime) -> int:
    """Her row, made where there is none; the member is written to one that did not know her."""
    hers = Q(key__in=whom.keys)
    if whom.member_id is not None:
        hers |= Q(member_id=whom.member_id)
    found = MaterialReader.objects.filter(hers).order_by("pk").values_list("pk", flat=True)
    pk = found.first()
    if pk is None:
        fresh = MaterialReader(key=whom.keys[0], is_known=whom.is_known, member_id=whom.member_id, seen_at=at)
        MaterialReader.objects.bulk_create([fresh], ignore_conflicts=True)
        pk = MaterialReader.objects.values_list("pk", flat=True).get(key=whom.keys[0])
    rows = MaterialReader.objects.filter(pk=pk)
    rows.update(seen_at=at)
    if whom.member_id is not None:
        rows.filter(member_id__isnull=True).update(member_id=whom.member_id)
    return pk


def _keep_visit(link: MaterialShare, row: MaterialReader, at: dt.datetime) -> MaterialVisit:
    """One view more on this day."""
    on = clock.business_day(at)
    visit = MaterialVisit.objects.filter(share=link, reader=row, on=on).first()
    if visit is None:
        return MaterialVisit.objects.create(
            share=link, reader=row, guide_id=link.guide_id, on=on, view_count=1, first_at=at, last_at=at
        )
    visit.view_count, visit.last_at = visit.view_count + 1, at
    visit.save(update_fields=["view_count", "last_at"])
    return visit


def _carry(visit: MaterialVisit) -> bool:
    """It proves the share of this day, where nothing has yet; whether it is that one. Under the locks of link and reader."""
    taken = MaterialVisit.objects.filter(on=visit.on, carries=True).filter(
        Q(share_id=visit.share_id) | Q(guide_id=visit.guide_id, reader_id=visit.reader_id)
    )
    if taken.exists():
        return False
    visit.carries = True
    visit.save(update_fields=["carries"])
    return True
