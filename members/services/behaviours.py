"""What members do is kept: batches of a phone or of a server, each thing once, and for whom nobody knows yet as well."""

import dataclasses
import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import Error, IntegrityError, connection, transaction

from core import clock
from core.arrays import array_words
from members.contracts.behaviours import BehaviourFault, BehavioursKept, ReadBehaviour
from members.models import BehaviourDoor, BehaviourPolicy, BehaviourVisitor, Member
from members.selectors.behaviours import keepers_among
from members.selectors.look_ups import list_member_ids_by_keys
from members.services.behaviour_partitions import make_partitions, month_of
from members.services.behaviour_reading import read_behaviours
from members.services.people import lock_member

MOST_OF_PHONE: Final = 50
MOST_OF_SERVER: Final = 500
# What lay on a phone for longer is refused; servers may catch up on an outage.
_OLDEST_OF_PHONE: Final = dt.timedelta(days=7)
_OLDEST_OF_SERVER: Final = dt.timedelta(days=30)
# A repeat may be placed a little earlier than the first time.
_DRIFT: Final = dt.timedelta(days=1)
_VISITORS: Final = frozenset({"openid", "mini_openid"})
_INSERT: Final = """
WITH told AS (
    SELECT * FROM unnest(%(marks)s::uuid[], %(moments)s::timestamptz[], %(members)s::bigint[], %(visitors)s::bigint[],
                         %(kinds)s::text[], %(subjects)s::text[], %(details)s::jsonb[])
        WITH ORDINALITY AS given(mark, happened_at, member_id, visitor_id, kind, subject, details, place)
), fresh AS (
    SELECT DISTINCT ON (mark) * FROM told WHERE NOT EXISTS (
        SELECT FROM members_behaviour known WHERE known.mark = told.mark AND known.happened_at >= %(since)s)
    ORDER BY mark, place
)
INSERT INTO members_behaviour (happened_at, received_at, member_id, visitor_id, kind, subject, details, door, mark)
SELECT happened_at, %(received_at)s, member_id, visitor_id, kind, subject, details, %(door)s, mark FROM fresh ORDER BY place
ON CONFLICT DO NOTHING
"""


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    told: ReadBehaviour
    member_id: int | None
    visitor_id: int | None = None


def record_member_behaviours(
    *,
    member_id: int,
    app_id: str,
    openid: str,
    told: Sequence[Any],
    sent_at: dt.datetime,
    at: dt.datetime | None = None,
) -> BehavioursKept:
    """What she did on her phone is kept, each under her own key once, whoever repeats the batch and on whichever device.

    Each is refused by itself, with a code of BEHAVIOUR_FAULTS. Nothing is kept of a member who does not agree to it,
    nor while the chain keeps none. Raises NoSuchMember when she has been erased.
    """
    at = at or clock.now()
    read, faults = read_behaviours(told=told, sent_at=sent_at, oldest=_OLDEST_OF_PHONE)
    with transaction.atomic():
        # The lock also makes repeats of one batch wait for each other: no unique index spans two months.
        member_id = lock_member(member_id)
        is_kept = bool(read) and _is_on() and member_id in keepers_among([member_id], at=at)
        rows = [_Row(one, member_id) for one in read] if is_kept else []
        kept = _insert(
            rows, scope=f"mini\0{app_id}\0{openid}", door=BehaviourDoor.MINI, oldest=_OLDEST_OF_PHONE, at=at
        )
    return BehavioursKept(kept, len(rows) - kept, len(read) - len(rows), tuple(faults))


def record_told_behaviours(
    *, client_id: int, told: Sequence[Any], at: dt.datetime | None = None
) -> BehavioursKept:
    """What a server tells of members is kept like that, under this client's keys. An openid that is nobody's yet keeps its
    behaviours until it is somebody's (`adopt_behaviours`); another unknown name is refused."""
    at = at or clock.now()
    read, faults = read_behaviours(told=told, sent_at=at, oldest=_OLDEST_OF_SERVER, names_members=True)
    with transaction.atomic():
        rows, unknown, declined = _owned(read if _is_on() else [], at)
        kept = _insert(
            rows, scope=f"api\0{client_id}", door=BehaviourDoor.API, oldest=_OLDEST_OF_SERVER, at=at
        )
    faults = sorted([*faults, *unknown], key=lambda fault: fault.index)
    declined += 0 if _is_on() else len(read)
    return BehavioursKept(kept, len(rows) - kept, declined, tuple(faults))


def _is_on() -> bool:
    policy = BehaviourPolicy.objects.first()
    return policy is None or policy.is_on


def _owned(read: Sequence[ReadBehaviour], at: dt.datetime) -> tuple[list[_Row], list[BehaviourFault], int]:
    """Whose each is, all members locked in pk order: rows to write, faults, and how many nobody agrees to."""
    keys = {one.member for one in read if one.member is not None}
    living = _lock(keys)
    keepers = keepers_among(living.values(), at=at)
    strangers = _visitors({key for key in keys - set(living) if key[0] in _VISITORS}, at)
    rows: list[_Row] = []
    unknown: list[BehaviourFault] = []
    declined = 0
    for one in read:
        assert one.member is not None
        if one.member in living:
            if living[one.member] in keepers:
                rows.append(_Row(one, living[one.member]))
            else:
                declined += 1
        elif one.member in strangers:
            rows.append(_Row(one, None, strangers[one.member]))
        else:
            unknown.append(BehaviourFault(one.index, one.key, "unknown_member", "member"))
    return rows, unknown, declined


def _lock(keys: set[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    """The living rows of these names, locked. Who was merged or erased on the way is looked up once more, and then left
    out: her latecomers are swept, and of an erased member nothing is kept."""
    found = list_member_ids_by_keys(keys)
    Member.objects.only("pk").filter(pk__in=set(found.values())).lock_rows()
    again = list_member_ids_by_keys(keys)
    locked = set(found.values())
    return {key: member_id for key, member_id in again.items() if member_id in locked}


def _visitors(keys: set[tuple[str, str, str]], at: dt.datetime) -> dict[tuple[str, str, str], int]:
    """The rows of openids that are nobody's, made where there was none; locked by being written."""
    if not keys:
        return {}
    ordered = sorted(keys)
    made = BehaviourVisitor.objects.bulk_create(
        [
            BehaviourVisitor(kind=kind, app_id=app_id, value=value, seen_at=at)
            for kind, app_id, value in ordered
        ],
        update_conflicts=True,
        unique_fields=["kind", "app_id", "value"],
        update_fields=["seen_at"],
    )
    return {key: row.pk for key, row in zip(ordered, made, strict=True)}


def _insert(
    rows: Sequence[_Row], *, scope: str, door: BehaviourDoor, oldest: dt.timedelta, at: dt.datetime
) -> int:
    """Those that are new are written by one statement; how many."""
    if not rows:
        return 0
    moments = [at - row.told.age for row in rows]
    values = {
        "marks": array_words(str(_mark(scope, row.told.key)) for row in rows),
        "moments": array_words(moment.isoformat() for moment in moments),
        "members": array_words(row.member_id for row in rows),
        "visitors": array_words(row.visitor_id for row in rows),
        "kinds": array_words(row.told.kind for row in rows),
        "subjects": array_words(row.told.subject for row in rows),
        "details": array_words(json.dumps(row.told.details, ensure_ascii=False) for row in rows),
        "since": at - oldest - _DRIFT,
        "received_at": at,
        "door": door.value,
    }
    try:
        return _ask(values)
    except IntegrityError as error:
        if not _lacks_partition(error):
            raise
    make_partitions(months=[month_of(moment) for moment in moments])
    return _ask(values)


def _ask(values: Mapping[str, Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        return int(cursor.rowcount)


def _lacks_partition(error: Error) -> bool:
    """PostgreSQL says it by the code of a violated check that has no name."""
    cause = error.__cause__
    diag = getattr(cause, "diag", None)
    return getattr(cause, "sqlstate", "") == "23514" and getattr(diag, "constraint_name", None) is None


def _mark(scope: str, key: str) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.blake2b(f"{scope}\0{key}".encode(), digest_size=16).digest())
