"""What `sales` keeps about a member: her orders and returns, and documents that name her and wait."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from members.contracts import MergeLine
from members.services.holdings import MemberHoldings, Snapshot, repoint, repoint_back
from sales.models import EntryReason, HeldDocument, MemberAlias, Sale, SaleReturn
from sales.selectors.member_keys import member_key_indexes
from sales.services.firsts import move_firsts
from sales.services.reconciling import reconcile_sales

_SALE = "sales.Sale"
_RETURN = "sales.SaleReturn"
_ALIAS = "sales.MemberAlias"


class SaleHoldings(MemberHoldings):
    """Her purchases. Of two who are one person only one purchase is the first; the ledger follows."""

    label = "sales"
    title = _("消费记录")
    models: ClassVar[tuple[str, ...]] = (_SALE, _RETURN, _ALIAS)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        mine, theirs = _count(survivor_id), _count(emptier_id)
        if not mine and not theirs:
            return []
        return [
            MergeLine(
                _now("销售单"),
                str(mine),
                str(theirs),
                str(mine + theirs),
                _now("全部归到一起，首单按成交时间重新认定"),
            )
        ]

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        snapshot = {
            "sales": repoint(model=_SALE, emptier_id=emptier_id, survivor_id=survivor_id),
            "returns": repoint(model=_RETURN, emptier_id=emptier_id, survivor_id=survivor_id),
            "aliases": repoint(model=_ALIAS, emptier_id=emptier_id, survivor_id=survivor_id),
        }
        _settle_firsts([survivor_id], at=at)
        return snapshot

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        if not snapshot:
            return
        repoint_back(model=_SALE, ids=snapshot["sales"], emptier_id=emptier_id)
        repoint_back(model=_RETURN, ids=snapshot["returns"], emptier_id=emptier_id)
        repoint_back(model=_ALIAS, ids=snapshot.get("aliases", []), emptier_id=emptier_id)
        _settle_firsts([emptier_id, survivor_id], at=at)

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        sales = Sale.objects.current().filter(member_id=member_id).prefetch_related("lines__product")
        bought = [
            {
                _now("订单号"): sale.order_no,
                _now("门店"): str(sale.store),
                _now("时间"): sale.sold_at.isoformat(),
                _now("成交金额（分）"): sale.amount_fen,
                _now("已退金额（分）"): sale.returned_fen,
                _now("商品"): [
                    f"{line.product.name or line.product.code} × {line.quantity}" for line in sale.lines.all()
                ],
            }
            for sale in sales.select_related("store").order_by("pk")
        ]
        returns = SaleReturn.objects.filter(member_id=member_id).order_by("pk")
        brought_back = [
            {
                _now("退货单号"): given.return_no,
                _now("时间"): given.returned_at.isoformat(),
                _now("退款金额（分）"): given.amount_fen,
            }
            for given in returns
        ]
        sections = {str(_("消费记录")): bought, str(_("退货记录")): brought_back}
        return {title: lines for title, lines in sections.items() if lines}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """The books keep amounts of a row without a person; documents that name her and wait are gone, and so is how tills
        called her."""
        hers = HeldDocument.objects.filter(member_index__in=member_key_indexes(member_id))
        deleted, _kinds = hers.delete()
        forgotten, _kinds = MemberAlias.objects.filter(member_id=member_id).delete()
        return deleted + forgotten


def _count(member_id: int) -> int:
    return Sale.objects.current().filter(member_id=member_id).count()


def _settle_firsts(member_ids: Sequence[int], *, at: dt.datetime) -> None:
    moved = move_firsts(member_ids)
    without = Sale.objects.current().filter(pk__in=moved).order_by("pk").lock_rows()
    reconcile_sales([sale.pk for sale in without], reason=EntryReason.FIRST_MOVED, at=at)
