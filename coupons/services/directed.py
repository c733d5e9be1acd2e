"""A guide gives coupons to members of hers by hand: to one, or to many at one go."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext_lazy as _

from core import audit, clock
from core.actor import Actor
from core.constraints import violated
from core.errors import InvalidInput, NotFound, Refusal, Unavailable
from coupons.contracts import DirectedIssueCard
from coupons.errors import NoSuchBatch, RequestReused
from coupons.models import MOST_AT_ONCE, CouponBatch, DirectedIssue
from coupons.selectors.directed import directed_card_of, directed_key
from coupons.services.issuing import issue_coupon, usable_request_key
from guides import selectors as guide_selectors
from members import selectors as member_selectors

_NOBODY: Final = _("请先选会员，一次最多 %(most)d 位")
_NOT_HERS: Final = _("名单里有会员不在您名下，请重新选")


def issue_directed(
    *,
    batch_id: int,
    guide_id: int,
    public_ids: Sequence[str],
    request_key: str,
    actor: Actor,
    at: dt.datetime | None = None,
) -> DirectedIssueCard:
    """Each of these members of hers has one coupon of the batch, or the answer says why not: one refused for her
    limit does not cost the next hers. Counts in the guide's quota; the coupons name her and her store.

    The same `request_key` again gets the first answer, whatever became of the batch; a call that was killed half-way
    is finished by its repeat. Refuses nobody and more than fifty, a member whom she may not open as an unknown one
    (then nobody is given anything), a guide who has left, and a key that meant another batch or other members.
    """
    at = at or clock.now()
    usable_request_key(key=request_key)
    asked = list(dict.fromkeys(public_ids))
    if not 1 <= len(asked) <= MOST_AT_ONCE:
        raise InvalidInput(str(_NOBODY) % {"most": MOST_AT_ONCE}, field="members")
    row = _find(guide_id, request_key)
    if row is None:
        row = _ask(batch_id, guide_id, asked, request_key, at)
    if row.batch_id != batch_id or not _means_the_same(row, asked):
        raise RequestReused
    if row.finished_at is None:
        _give(row, actor, at)
    return directed_card_of(row)


def _find(guide_id: int, request_key: str) -> DirectedIssue | None:
    rows = DirectedIssue.objects.select_related("batch__template")
    return rows.filter(guide_id=guide_id, request_key=request_key).first()


def _ask(batch_id: int, guide_id: int, asked: list[str], request_key: str, at: dt.datetime) -> DirectedIssue:
    """The issue is written down before anybody is given anything. Of two taps at once one writes it."""
    members = guide_selectors.access_members(guide_id=guide_id, public_ids=asked)
    if len(members) != len(asked):
        raise NotFound(str(_NOT_HERS))
    if not CouponBatch.objects.filter(pk=batch_id).exists():
        raise NoSuchBatch
    store_id = guide_selectors.get_guide_card(guide_id).store.id
    ids = list(dict.fromkeys(members[public_id].id for public_id in asked))
    try:
        with transaction.atomic():
            DirectedIssue.objects.create(
                guide_id=guide_id, store_id=store_id, batch_id=batch_id, request_key=request_key,
                member_ids=ids, asked_at=at,
            )  # fmt: skip
    except IntegrityError as error:
        if violated(error) != "directedissue_once_per_request":
            raise
    row = _find(guide_id, request_key)
    assert row is not None
    return row


def _means_the_same(row: DirectedIssue, asked: list[str]) -> bool:
    """The same people, also when two of them were merged since."""
    now_asked = set(member_selectors.find_living_ids(asked).values())
    return now_asked == set(member_selectors.list_merge_targets(row.member_ids).values())


def _give(row: DirectedIssue, actor: Actor, at: dt.datetime) -> None:
    tiers = member_selectors.list_member_tiers(row.member_ids, at) if row.batch.template.tier_ids else {}
    refused: dict[str, str] = {}
    for member_id in row.member_ids:
        tier = tiers.get(member_id)
        reason = _give_one(row, member_id, None if tier is None else tier.id, actor, at)
        if reason:
            refused[str(member_id)] = reason
    with transaction.atomic():
        # Of two who give at once (a second tap) the first to finish says why not; the coupons are the same.
        unfinished = DirectedIssue.objects.filter(pk=row.pk, finished_at__isnull=True)
        if unfinished.update(refused=refused, finished_at=at):
            audit.record(
                action="coupons.directed_issued",
                subject=row,
                actor=actor,
                at=at,
                asked_count=len(row.member_ids),
                refused_count=len(refused),
            )
    row.refresh_from_db(fields=["refused", "finished_at"])


def _give_one(row: DirectedIssue, member_id: int, tier_id: int | None, actor: Actor, at: dt.datetime) -> str:
    """Empty, or the code of the reason. A lock that did not come in time costs this member's coupon only."""
    try:
        with transaction.atomic():
            issue_coupon(
                batch_id=row.batch_id,
                member_id=member_id,
                request_key=directed_key(row.public_id),
                door="guide",
                guide_id=row.guide_id,
                store_id=row.store_id,
                tier_id=tier_id,
                actor=actor,
                at=at,
            )
    except Refusal as refusal:
        return refusal.code
    except OperationalError:
        return Unavailable.code
    return ""
