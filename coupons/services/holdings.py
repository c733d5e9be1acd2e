"""What `coupons` keeps about a member: the coupons in her hands, and those she handed on or took over."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from coupons.models import (
    Coupon,
    CouponEvent,
    CouponGift,
    CouponOrder,
    CouponReturn,
    CouponToken,
    Redemption,
)
from coupons.selectors.coupons import count_usable_coupons
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back


class CouponHoldings(MemberHoldings):
    """Her coupons in every state, with their history, and the gift links she made or took."""

    label = "coupons"
    title = _("优惠券")
    models: ClassVar[tuple[str, ...]] = ("coupons.Coupon", "coupons.CouponGift", "coupons.CouponOrder")

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        mine, theirs = count_usable_coupons(survivor_id), count_usable_coupons(emptier_id)
        if not theirs and not mine:
            return []
        return [
            MergeLine(
                _now("可用的券"),
                str(mine),
                str(theirs),
                str(mine + theirs),
                _now("全部归到一起，各自的有效期不变；限领按两人已领的张数合计"),
            )
        ]

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """The survivor holds the coupons of both; the limits of a batch count what both received."""
        # The rows are locked in pk order, as every other writer of several coupons does.
        Coupon.objects.filter(Q(member_id=emptier_id) | Q(received_by=emptier_id)).lock_rows()
        received = _receive_as(emptier_id, survivor_id)
        return {
            "coupons": repoint(model="coupons.Coupon", emptier_id=emptier_id, survivor_id=survivor_id),
            "received": received,
            "offered": repoint(
                model="coupons.CouponGift",
                emptier_id=emptier_id,
                survivor_id=survivor_id,
                field="from_member",
            ),
            "taken": repoint(
                model="coupons.CouponGift", emptier_id=emptier_id, survivor_id=survivor_id, field="to_member"
            ),
            "orders": repoint(model="coupons.CouponOrder", emptier_id=emptier_id, survivor_id=survivor_id),
        }

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """What was handed on since stays with who took it."""
        if not snapshot:
            return
        ids = [int(pk) for pk in snapshot["received"]]
        rows = Coupon.objects.filter(pk__in=[*snapshot["coupons"], *ids]).lock_rows()
        still_hers = [
            row.pk for row in rows if row.member_id == survivor_id and row.pk in snapshot["coupons"]
        ]
        repoint_back(model="coupons.Coupon", ids=still_hers, emptier_id=emptier_id)
        for row in rows:
            ordinal = snapshot["received"].get(str(row.pk))
            if ordinal is not None:
                row.received_by, row.ordinal = emptier_id, ordinal
                row.save(update_fields=["received_by", "ordinal"])
        repoint_back(
            model="coupons.CouponGift", ids=snapshot["offered"], emptier_id=emptier_id, field="from_member"
        )
        repoint_back(
            model="coupons.CouponGift", ids=snapshot["taken"], emptier_id=emptier_id, field="to_member"
        )
        repoint_back(model="coupons.CouponOrder", ids=snapshot.get("orders", []), emptier_id=emptier_id)

    def strays(self, emptier_ids: QuerySet[Any, int]) -> set[int]:
        """Of coupons none in practice: all who issue or hand on one hold its member's lock."""
        coupons = Coupon.objects.filter(member_id__in=emptier_ids).values_list("member_id", flat=True)
        # A till may name her while she is merged: without points nobody holds her lock then.
        orders = CouponOrder.objects.filter(member_id__in=emptier_ids).values_list("member_id", flat=True)
        return {*coupons.distinct(), *(member_id for member_id in orders.distinct() if member_id)}

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        coupons = Coupon.objects.filter(member_id=member_id).select_related("batch__template").order_by("pk")
        rows = [
            {
                _now("券"): coupon.batch.template.title,
                _now("券码"): coupon.code,
                _now("状态"): coupon.get_state_display(),
                _now("领取时间"): coupon.issued_at.isoformat(),
                _now("可用开始"): coupon.valid_from.isoformat(),
                _now("可用结束"): coupon.valid_until.isoformat(),
            }
            for coupon in coupons
        ]
        gifts = CouponGift.objects.filter(Q(from_member_id=member_id) | Q(to_member_id=member_id)).order_by(
            "pk"
        )
        links = [
            {
                _now("方式"): _now("送出") if gift.from_member_id == member_id else _now("收到"),
                _now("状态"): gift.get_state_display(),
                _now("时间"): gift.offered_at.isoformat(),
            }
            for gift in gifts
        ]
        sections = {str(_("优惠券")): rows, str(_("转赠")): links}
        return {title: lines for title, lines in sections.items() if lines}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """The coupons stay for the books, without what somebody typed beside them and without codes on a screen."""
        hers = Coupon.objects.filter(member_id=member_id)
        deleted, _kinds = CouponToken.objects.filter(coupon__in=hers).delete()
        reversals = Redemption.objects.filter(coupon__in=hers).exclude(reversal_reason="")
        returns = CouponReturn.objects.filter(order__redemptions__coupon__in=hers).exclude(reason="")
        events = CouponEvent.objects.filter(coupon__in=hers).exclude(reason="")
        orders = CouponReturn.objects.filter(pk__in=list(returns.values_list("pk", flat=True)))
        cleared = reversals.update(reversal_reason="") + events.update(reason="") + orders.update(reason="")
        return deleted + cleared


def _receive_as(emptier_id: int, survivor_id: int) -> dict[str, int]:
    """Her how-many-eth goes on after the survivor's; the old numbers by coupon."""
    rows = list(Coupon.objects.filter(received_by=emptier_id).order_by("batch_id", "-ordinal"))
    batches = {row.batch_id for row in rows}
    tops = Coupon.objects.filter(received_by=survivor_id, batch_id__in=batches).values_list("batch_id")
    last = dict(tops.annotate(top=Max("ordinal")))
    before = {str(row.pk): row.ordinal for row in rows}
    for row in rows:
        row.received_by, row.ordinal = survivor_id, row.ordinal + last.get(row.batch_id, 0)
        row.save(update_fields=["received_by", "ordinal"])
    return before
