"""A month of settlement in tables: on its page and as a workbook."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.admin import money
from core.workbooks import Kind, Sheet
from coupons import selectors
from coupons.admin.stats_words import tail
from coupons.contracts import OwnerSum, StoreSum
from guides import selectors as guide_selectors


def owner_name(dealer_id: int | None, names: Mapping[int, str]) -> str:
    """A dealer, or the chain."""
    return _("总部（直营）") if dealer_id is None else names.get(dealer_id, _("未知"))


def net_fen(one: OwnerSum, sums: Sequence[OwnerSum]) -> int:
    """What the debtor still pays when the two owners set off what they owe each other; negative when only he is owed,
    because more came back than was given."""
    pair = (one.creditor_id, one.debtor_id)
    back = next((other.owed_fen for other in sums if (other.debtor_id, other.creditor_id) == pair), None)
    return one.owed_fen if back is None else max(0, one.owed_fen - back)


def owner_lines(sums: Sequence[OwnerSum]) -> list[dict[str, Any]]:
    """Each debt, and what is left of it after setting off."""
    names = guide_selectors.list_dealer_names()
    return [
        {
            "debtor": owner_name(one.debtor_id, names),
            "creditor": owner_name(one.creditor_id, names),
            "line_count": one.line_count,
            "owed": money(one.owed_fen),
            "correction": money(one.correction_fen),
            "net": money(net_fen(one, sums)),
        }
        for one in sums
    ]


def store_lines(sums: Sequence[StoreSum]) -> list[dict[str, Any]]:
    """What each store gave, gets and owes."""
    labels = guide_selectors.list_store_labels(one.store_id for one in sums)
    return [
        {
            "store": labels[one.store_id].name,
            "owner": labels[one.store_id].dealer_name or _("直营"),
            "redeemed_count": one.redeemed_count,
            "discount": money(one.discount_fen),
            "own": money(one.own_fen),
            "due": money(one.due_fen),
            "owes": money(one.owes_fen),
        }
        for one in sums
    ]


def month_sheets(month: dt.date, store_ids: frozenset[int] | None) -> list[Sheet]:
    """Pairs of owners, stores, and every line."""
    names = guide_selectors.list_dealer_names()
    labels = guide_selectors.list_store_labels()
    owners = selectors.sum_owners(month, store_ids=store_ids)
    owner_heads: list[tuple[str, Kind]] = [
        (_("付款方"), "text"), (_("收款方"), "text"), (_("笔数"), "count"), (_("应付"), "fen"), (_("其中更正"), "fen"),
        (_("互抵后应付"), "fen"),
    ]  # fmt: skip
    owner_rows = [
        [
            owner_name(one.debtor_id, names), owner_name(one.creditor_id, names), one.line_count, one.owed_fen,
            one.correction_fen, net_fen(one, owners),
        ]
        for one in owners
    ]  # fmt: skip
    store_heads: list[tuple[str, Kind]] = [
        (_("门店"), "text"), (_("归属"), "text"), (_("核销张数"), "count"), (_("优惠金额"), "fen"), (_("自己承担"), "fen"),
        (_("应收"), "fen"), (_("应付"), "fen"),
    ]  # fmt: skip
    store_rows = [
        [
            labels[one.store_id].name, labels[one.store_id].dealer_name or _("直营"), one.redeemed_count,
            one.discount_fen, one.own_fen, one.due_fen, one.owes_fen,
        ]
        for one in selectors.sum_stores(month, store_ids=store_ids)
    ]  # fmt: skip
    return [
        Sheet(_("往来汇总"), owner_heads, owner_rows),
        Sheet(_("门店汇总"), store_heads, store_rows),
        _line_sheet(month, store_ids, names, {pk: label.name for pk, label in labels.items()}),
    ]


def _line_sheet(
    month: dt.date, store_ids: frozenset[int] | None, names: Mapping[int, str], stores: Mapping[int, str]
) -> Sheet:
    heads: list[tuple[str, Kind]] = [
        (_("计入日期"), "day"), (_("事项"), "text"), (_("核销日期"), "day"), (_("订单号"), "text"), (_("券码尾号"), "text"),
        (_("批次"), "text"), (_("发券门店"), "text"), (_("发券方"), "text"), (_("核销门店"), "text"), (_("核销方"), "text"),
        (_("优惠金额"), "fen"), (_("发券方承担"), "fen"), (_("核销方承担"), "fen"), (_("总部承担"), "fen"), (_("更正"), "text"),
    ]  # fmt: skip
    lines = selectors.month_lines(month, store_ids=store_ids).iterator(chunk_size=2_000)
    rows = (
        [
            line.entry.day, str(line.entry.get_what_display()), line.redeemed_on, line.entry.redemption.order_no,
            tail(line.entry.redemption.coupon.code), line.batch.name, stores.get(line.issued_store_id or 0),
            owner_name(line.issuer_id, names), stores.get(line.redeemed_store_id), owner_name(line.redeemer_id, names),
            line.discount_fen, line.issuer_fen, line.redeemer_fen, line.chain_fen,
            _("更正") if line.is_correction else None,
        ]
        for line in lines
    )  # fmt: skip
    return Sheet(_("明细"), heads, rows)
