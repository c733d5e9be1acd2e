"""Sets of exchange codes: made or imported, downloaded once, made void.

A code is kept as a keyed fingerprint; the code itself is sealed until somebody downloads the file, and gone after that.
So neither the table nor a backup of it is worth anything to who has no keys.
"""

import datetime as dt
from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

from django.db import IntegrityError, connection, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import audit, clock, crypto
from core.actor import Actor
from core.codes import new_codes
from core.constraints import violated
from coupons.contracts import CodeImport, ExchangeFile, ExchangeSetCard, ExchangeTerms
from coupons.errors import (
    BatchEnded,
    ExchangeFileGone,
    ExchangeSetVoided,
    ExchangeUnusable,
    NoSuchBatch,
    NoSuchExchangeSet,
    WrongDoor,
)
from coupons.models import (
    BatchState,
    CouponBatch,
    Door,
    ExchangeCode,
    ExchangeCodeState,
    ExchangeKind,
    ExchangeSet,
    ExchangeSetState,
)
from coupons.selectors.exchange import LONGEST_CODE, code_index, exchange_set_card_of, key_mark, normal_code
from coupons.services.history import usable_reason

MOST_CODES: Final = 100_000
SHORTEST_CODE: Final = 8
_SHORTEST_PHRASE: Final = 4
_CHUNK: Final = 10_000
_BAD_SHOWN: Final = 10
# A code that exists, in whatever set, is passed over; numbers go on without holes.
_ADD: Final = """
INSERT INTO coupons_exchangecode (exchange_set_id, number, code_index, plain, state, request_key)
SELECT %(set)s, %(after)s + row_number() OVER (ORDER BY place), code_index, plain, 'free', ''
FROM unnest(%(indexes)s::text[], %(plains)s::text[]) WITH ORDINALITY AS given (code_index, plain, place)
WHERE NOT EXISTS (SELECT FROM coupons_exchangecode known WHERE known.code_index = given.code_index)
"""


def create_exchange_set(
    *, batch_id: int, terms: ExchangeTerms, actor: Actor, at: dt.datetime | None = None
) -> ExchangeSetCard:
    """The set exists: with its codes when they are generated, with its phrase when it is shared, empty when the codes
    are to be imported.

    Refuses a batch that is over or has no exchange door, numbers and words that make no sense, more codes than the batch
    has coupons, and a phrase that some set has already.
    """
    at = at or clock.now()
    with transaction.atomic():
        batch = _open_batch(batch_id)
        _check(terms, batch)
        row = ExchangeSet.objects.create(
            batch=batch,
            name=terms.name.strip(),
            kind=terms.kind,
            opens_at=terms.opens_at,
            closes_at=terms.closes_at,
            use_limit=terms.use_limit,
            key_mark=key_mark(),
            created_at=at,
        )
        if terms.kind == "generated":
            for start in range(0, terms.code_count, _CHUNK):
                fresh = new_codes(min(_CHUNK, terms.code_count - start), ExchangeCode.LENGTH)
                _add(row, fresh, is_kept=True)
        elif terms.kind == "shared":
            _add(row, [normal_code(terms.phrase)], is_kept=True)
            if row.code_count == 0:
                raise ExchangeUnusable(str(_("这个口令已经有了，请换一个")), field="phrase")
        row.save(update_fields=["code_count"])
        audit.record(
            action="coupons.exchange_set_created", subject=row, actor=actor, at=at, code_count=row.code_count
        )
    return exchange_set_card_of(row)


def import_exchange_codes(
    *, set_id: int, lines: Iterable[str], actor: Actor, at: dt.datetime | None = None
) -> CodeImport:
    """Each usable line is a code of the set. Codes that exist already, here or in another set, change nothing, so that
    a file can be sent twice. Lines that are not 8 to 40 letters or digits are told by number.

    Refuses a set that is not for imported codes or is void, and more codes than the batch has coupons.
    """
    at = at or clock.now()
    usable: list[str] = []
    bad: list[int] = []
    for number, line in enumerate(lines, start=1):
        code = normal_code(line)
        if code and SHORTEST_CODE <= len(code) <= LONGEST_CODE and code.isascii() and code.isalnum():
            usable.append(code)
        elif line.strip():
            bad.append(number)
    with transaction.atomic():
        row = _lock_open(set_id)
        if row.kind != ExchangeKind.IMPORTED:
            raise ExchangeUnusable(str(_("只有导入方式的兑换码可以上传文件")), field="file")
        before = row.code_count
        rest = iter(dict.fromkeys(usable))
        while chunk := list(islice(rest, _CHUNK)):
            _add(row, chunk, is_kept=False)
        _check_count(row.code_count, row.batch, field="file")
        added = row.code_count - before
        row.save(update_fields=["code_count"])
        if added:
            audit.record(
                action="coupons.exchange_codes_imported", subject=row, actor=actor, at=at, added_count=added
            )
    return CodeImport(added, len(usable) - added, tuple(bad[:_BAD_SHOWN]))


def take_exchange_codes(*, set_id: int, actor: Actor, at: dt.datetime | None = None) -> ExchangeFile:
    """The codes of a generated set, for whoever prints them; from now on nobody can read them here.

    Refuses a set whose codes were taken, one that has none of its own making, and a void one.
    """
    at = at or clock.now()
    with transaction.atomic():
        row = _lock_open(set_id)
        if row.taken_at is not None or row.kind != ExchangeKind.GENERATED:
            raise ExchangeFileGone
        kept = ExchangeCode.objects.filter(exchange_set=row)
        found = tuple(kept.order_by("number").values_list("plain", flat=True))
        kept.update(plain="")
        row.taken_at = at
        row.save(update_fields=["taken_at"])
        audit.record(
            action="coupons.exchange_codes_taken", subject=row, actor=actor, at=at, code_count=len(found)
        )
    return ExchangeFile(row.name, found)


def void_exchange_set(*, set_id: int, reason: str, actor: Actor, at: dt.datetime | None = None) -> int:
    """Nobody exchanges a code of the set any more; how many codes that are. Coupons that came from it stay good.
    Doing it again changes nothing."""
    at, reason = at or clock.now(), usable_reason(reason=reason)
    with transaction.atomic():
        rows = ExchangeSet.objects.lock_all([set_id])
        if not rows:
            raise NoSuchExchangeSet
        row = rows[0]
        if row.state == ExchangeSetState.VOIDED:
            return 0
        row.state = ExchangeSetState.VOIDED
        row.save(update_fields=["state"])
        # Whoever exchanges one now holds its row: it is used, or void, and never both.
        free = ExchangeCode.objects.filter(exchange_set=row, state=ExchangeCodeState.FREE)
        voided = free.update(state=ExchangeCodeState.VOIDED, plain="")
        audit.record(
            action="coupons.exchange_set_voided",
            subject=row,
            actor=actor,
            at=at,
            code_count=voided,
            reason=reason,
        )
    return voided


def _add(row: ExchangeSet, fresh: list[str], *, is_kept: bool) -> None:
    """These normal codes are the set's, but for those that exist; the set's count is moved, not saved."""
    context = ExchangeCode._meta.get_field("plain").seal_context()
    plains = crypto.seal_all(fresh, context=context) if is_kept else [""] * len(fresh)
    values: dict[str, Any] = {
        "set": row.pk,
        "after": row.code_count,
        "indexes": [code_index(code) for code in fresh],
        "plains": plains,
    }
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_ADD, values)
            row.code_count += cursor.rowcount
    except IntegrityError as error:
        # Somebody stored one of them this instant.
        if violated(error) == "exchangecode_once":
            raise ExchangeUnusable(str(_("有人正在导入同样的码，请再试一次"))) from None
        raise


def _open_batch(batch_id: int) -> CouponBatch:
    batch = CouponBatch.objects.filter(pk=batch_id).first()
    if batch is None:
        raise NoSuchBatch(field="batch")
    if batch.state == BatchState.ENDED:
        raise BatchEnded(field="batch")
    if Door.CODE not in batch.doors:
        raise WrongDoor(str(_("这批券的发放渠道里没有兑换码，请先在批次里勾选")), field="batch")
    return batch


def _lock_open(set_id: int) -> ExchangeSet:
    rows = ExchangeSet.objects.select_related("batch").lock_all([set_id])
    if not rows:
        raise NoSuchExchangeSet
    if rows[0].state == ExchangeSetState.VOIDED:
        raise ExchangeSetVoided
    return rows[0]


def _refuse(field: str, message: str | Promise) -> None:
    raise ExchangeUnusable(str(message), field=field)


def _check(terms: ExchangeTerms, batch: CouponBatch) -> None:
    if not 1 <= len(terms.name.strip()) <= 40 or "\0" in terms.name:
        _refuse("name", _("名称请填写 1 到 40 个字"))
    if terms.kind not in ExchangeKind.values:
        _refuse("kind", _("请选择兑换码的方式"))
    if terms.opens_at and terms.closes_at and terms.closes_at <= terms.opens_at:
        _refuse("closes_at", _("兑换截止要晚于兑换开始"))
    if terms.kind == "generated":
        if not 1 <= terms.code_count <= MOST_CODES:
            _refuse("code_count", _("数量请填写 1 到 100,000"))
        _check_count(terms.code_count, batch, field="code_count")
    if terms.kind == "shared":
        _check_phrase(terms)
    elif terms.phrase or terms.use_limit is not None:
        _refuse("phrase", _("只有通用口令才填写口令和次数"))


def _check_phrase(terms: ExchangeTerms) -> None:
    if not _SHORTEST_PHRASE <= len(normal_code(terms.phrase)) <= LONGEST_CODE or "\0" in terms.phrase:
        _refuse("phrase", _("口令请填写 4 到 40 个字"))
    if terms.use_limit is not None and not 1 <= terms.use_limit <= 100_000_000:
        _refuse("use_limit", _("最多兑换次数请填写大于 0 的整数，不限就留空"))


def _check_count(code_count: int, batch: CouponBatch, *, field: str) -> None:
    if code_count > batch.quota:
        words = _("兑换码比券多：这批券一共 %(quota)s 张，请先追加数量") % {"quota": batch.quota}
        _refuse(field, words)
