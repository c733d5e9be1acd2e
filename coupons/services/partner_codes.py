"""Codes that a partner gave us become the coupons of a batch."""

import datetime as dt
from collections.abc import Iterable
from itertools import islice
from typing import Final

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from core import audit
from core.actor import Actor
from coupons.contracts import CodeImport
from coupons.errors import BatchEnded, NoSuchBatch, PartnerBatch
from coupons.models import SHARDS, BatchState, CouponBatch
from coupons.services.sold_out import forget_sold_out

_CHUNK: Final = 20_000
_LONGEST: Final = 64
# Codes of a chunk go round the shards, and each shard may issue as many more as it got.
_ADD: Final = """
WITH added AS (
    INSERT INTO coupons_partnercode (batch_id, code, shard, is_taken)
    SELECT %(batch)s, code, (row_number() OVER (ORDER BY place) + %(start)s) %% 16, false
    FROM unnest(%(codes)s::text[]) WITH ORDINALITY AS given (code, place)
    ON CONFLICT (batch_id, code) DO NOTHING
    RETURNING shard
), counted AS (
    UPDATE coupons_couponbatchshard one SET quota = one.quota + total.n
    FROM (SELECT shard, count(*) AS n FROM added GROUP BY shard) total
    WHERE one.batch_id = %(batch)s AND one.shard = total.shard
)
SELECT count(*) FROM added
"""
_LOCK_SHARDS: Final = """
SELECT id FROM coupons_couponbatchshard WHERE batch_id = %(batch)s ORDER BY shard FOR NO KEY UPDATE
"""


def import_partner_codes(
    *, batch_id: int, lines: Iterable[str], actor: Actor, at: dt.datetime | None = None
) -> CodeImport:
    """Each usable line is a code that one coupon of the batch will carry; the quota is what there are. Codes that are
    there already change nothing, so that a file can be sent twice. Lines that are empty are passed over; lines with
    blanks inside or above 64 characters are told by number.

    Refuses an ended batch and one of our own codes.
    """
    added = usable = 0
    bad: list[int] = []
    numbered = iter(enumerate(lines, start=1))
    while chunk := list(islice(numbered, _CHUNK)):
        codes = []
        for number, line in chunk:
            code = line.strip()
            if code_fault(text=code):
                bad.append(number)
            elif code:
                codes.append(code)
        usable += len(codes)
        added += _add(batch_id, list(dict.fromkeys(codes)), actor, at)
    forget_sold_out(batch_id)
    return CodeImport(added, usable - added, tuple(bad))


def code_fault(*, text: str) -> str:
    """What is wrong with a line; empty for a usable one and for an empty one."""
    code = text.strip()
    if len(code) > _LONGEST:
        return str(_("超过 64 个字符"))
    if code and (not code.isprintable() or len(code.split()) > 1):
        return str(_("中间有空格或看不见的字符"))
    return ""


def _add(batch_id: int, codes: list[str], actor: Actor, at: dt.datetime | None) -> int:
    with transaction.atomic():
        rows = CouponBatch.objects.lock_all([batch_id])
        if not rows:
            raise NoSuchBatch
        batch = rows[0]
        if not batch.has_partner_codes:
            raise PartnerBatch
        if batch.state == BatchState.ENDED:
            raise BatchEnded
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_SHARDS, {"batch": batch_id})
            cursor.execute(_ADD, {"batch": batch_id, "codes": codes, "start": batch.quota % SHARDS})
            added: int = cursor.fetchone()[0]
        if added:
            batch.quota += added
            batch.save(update_fields=["quota"])
            audit.record(
                action="coupons.codes_imported", subject=batch, actor=actor, at=at, added_count=added
            )
    return added
