"""A document that conflicts beside what is booked under its number: one row for each thing that is told."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core import clock
from core.admin import money, thousands
from guides import selectors as guide_selectors
from members import selectors as member_selectors
from sales import selectors
from sales.admin.desk_text import payment_words
from sales.admin.held_words import member_words
from sales.contracts import OrderDocument, ReturnDocument
from sales.models import HeldDocument, Sale, SaleReturn
from sales.selectors.channels import channel_words
from sales.services.references import References


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """What was told and what stands; rows are (title, told, booked, whether they differ)."""

    url: str
    rows: tuple[tuple[str, str, str, bool], ...]

    @property
    def is_alike(self) -> bool:
        """Nothing that can be seen differs: the same said in another way."""
        return not any(differs for *_words, differs in self.rows)


def find_booked_url(row: HeldDocument) -> str:
    """The page of what is booked under its number; empty: nothing is."""
    booked = _booked_order(row) if row.kind == "order" else _booked_return(row)
    return _page(booked) if booked is not None else ""


def compare(row: HeldDocument, document: OrderDocument | ReturnDocument) -> Comparison | None:
    """None when nothing is booked under its number."""
    if isinstance(document, OrderDocument):
        sale = _booked_order(row)
        return Comparison(_page(sale), tuple(_order_rows(document, sale))) if sale is not None else None
    given = _booked_return(row)
    return Comparison(_page(given), tuple(_return_rows(document, given))) if given is not None else None


def _booked_order(row: HeldDocument) -> Sale | None:
    rows = Sale.objects.current().filter(source=row.source, order_no=row.number)
    return rows.select_related("store").first()


def _booked_return(row: HeldDocument) -> SaleReturn | None:
    rows = SaleReturn.objects.filter(source=row.source, return_no=row.number)
    return rows.select_related("store").first()


def _page(booked: Sale | SaleReturn) -> str:
    return reverse(f"admin:sales_{booked._meta.model_name}_change", args=[booked.pk])


def _order_rows(document: OrderDocument, sale: Sale) -> Iterable[tuple[str, str, str, bool]]:
    names = References([document])
    yield _row(_("成交时间"), *_moments(document.sold_at, sale.sold_at))
    yield _store(names, document, sale)
    yield _row(_("渠道"), channel_words(document.channel), channel_words(sale.channel))
    yield _member(names, document, sale)
    for title, number, guide_id in (
        (_("接待导购"), document.serving_guide, sale.serving_guide_id),
        (_("分享导购"), document.sharing_guide, sale.sharing_guide_id),
    ):
        told = names.guide(document, number) if number else None
        known = guide_selectors.list_guide_labels([one for one in (guide_id, told and told.guide_id) if one])
        words = known.get(told.guide_id, number) if told is not None else number or "—"
        yield _row(title, words, known.get(guide_id or 0, "—"))
    yield _row(_("成交金额（元）"), money(document.amount_fen), money(sale.amount_fen))
    lines = list(sale.lines.select_related("product").order_by("number"))
    say = _Goods(
        [*(one.product_code for one in document.lines), *(one.product.code for one in lines)],
        [*(one.category_code for one in document.lines), *(one.category_code for one in lines)],
    )
    yield _row(
        _("商品"),
        _lines(say.line(one.product_code, one) for one in document.lines),
        _lines(say.line(one.product.code, one) for one in lines),
    )
    yield _row(
        _("支付"),
        _lines(f"{payment_words(paid.method)} {money(paid.amount_fen)}" for paid in document.payments),
        _lines(
            f"{payment_words(paid.method)} {money(paid.amount_fen)}" for paid in sale.payments.order_by("pk")
        ),
    )
    yield _row(
        _("用券"),
        _lines(sorted(f"…{used.code[-4:]} {money(used.discount_fen)}" for used in document.coupons)),
        _lines(sorted(f"…{used.code[-4:]} {money(used.discount_fen)}" for used in sale.coupons.all())),
    )
    yield _row(_("使用积分"), thousands(document.points_spent), thousands(sale.points_spent))


def _return_rows(document: ReturnDocument, given: SaleReturn) -> Iterable[tuple[str, str, str, bool]]:
    names = References([document])
    yield _row(_("退货时间"), *_moments(document.returned_at, given.returned_at))
    yield _store(names, document, given)
    yield _row(_("原订单号"), document.order_no or "—", given.order_no or "—")
    if given.sale_id is None:  # else it is the order's member, whoever the return names
        yield _member(names, document, given)
    yield _row(_("退款金额（元）"), money(document.amount_fen), money(given.amount_fen))
    lines = list(given.lines.select_related("product").order_by("number"))
    say = _Goods([*(one.product_code for one in document.lines), *(one.product.code for one in lines)])
    yield _row(
        _("商品"),
        _lines(say.line(one.product_code, one) for one in document.lines),
        _lines(say.line(one.product.code, one) for one in lines),
    )


def _row(title: str, told: str, booked: str) -> tuple[str, str, str, bool]:
    return title, told, booked, told != booked


def _store(names: References, document: Any, booked: Any) -> tuple[str, str, str, bool]:
    store_id = _known(lambda: names.store(document).store_id)
    words = guide_selectors.list_store_names([store_id]).get(store_id, "") if store_id else ""
    return _row(_("门店"), words or document.store_code, booked.store.name)


def _member(names: References, document: Any, booked: Any) -> tuple[str, str, str, bool]:
    """Who is meant counts, not the number that she is named by."""
    told_id = _known(lambda: names.member(document))
    words = member_words(document.member)
    if told_id is not None:
        words = f"{_named(told_id)} · {words}"
    stands = _named(booked.member_id) if booked.member_id is not None else _("散客")
    differs = told_id != booked.member_id or (told_id is None and document.member is not None)
    return _("会员"), words, stands, differs


def _named(member_id: int) -> str:
    return member_selectors.get_member_card(member_id).display_name


def _known(find: Callable[[], int | None]) -> int | None:
    """None where nobody has the name any more."""
    try:
        return find()
    except KeyError:
        return None


def _moments(told: dt.datetime, booked: dt.datetime) -> tuple[str, str]:
    """To the second, or to the last digit where only that tells them apart: it is another content."""
    here = [at.astimezone(clock.SHANGHAI) for at in (told, booked)]
    is_close = told != booked and here[0].replace(microsecond=0) == here[1].replace(microsecond=0)
    pattern = "%Y-%m-%d %H:%M:%S.%f" if is_close else "%Y-%m-%d %H:%M:%S"
    return here[0].strftime(pattern), here[1].strftime(pattern)


class _Goods:
    """Lines of goods in words; the codes stay, for they may be what differs."""

    def __init__(self, products: Iterable[str], categories: Iterable[str] = ()) -> None:
        self._products = selectors.list_product_names(set(products))
        self._categories = selectors.list_category_names({code for code in categories if code})

    def line(self, code: str, one: Any) -> str:
        name = self._products.get(code, code)
        words = code if name == code else f"{name}（{code}）"
        words += f" × {one.quantity}  {money(one.amount_fen)}"
        list_fen, category = getattr(one, "list_fen", one.amount_fen), getattr(one, "category_code", "")
        if list_fen != one.amount_fen:
            words += _("（吊牌 %(list)s）") % {"list": money(list_fen)}
        return f"{words} {self._categories[category]}" if category else words


def _lines(words: Iterable[str]) -> str:
    return "\n".join(words) or "—"
