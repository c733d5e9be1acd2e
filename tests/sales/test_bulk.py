"""The short way of a file leaves the books that one document after the other leaves them."""

import dataclasses
import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.db import connection, models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from coupons.models import Coupon, Redemption
from members.models import (
    ActivityEntry,
    EarningRule,
    MemberTier,
    MultiplierRule,
    PointsAccount,
    PointsEntry,
    PointsLot,
    TierChange,
)
from sales import services
from sales.contracts import (
    DocumentOutcome,
    MemberKey,
    OrderCoupon,
    OrderDocument,
    OrderPayment,
    ReturnDocument,
    ReturnLine,
)
from sales.models import (
    Attribution,
    AttributionRule,
    AttributionShare,
    GuideStoreTotal,
    GuideTotal,
    HeldDocument,
    PerformanceEntry,
    PeriodClose,
    Product,
    Sale,
    SaleCoupon,
    SaleLine,
    SalePayment,
    StoreTotal,
    TotalMove,
)
from sales.services.bulk import book_in_bulk
from sales.services.folding import fold_totals
from sales.services.reading import digest_of_order, usable_order
from tests.cast import Cast
from tests.coupons.test_orders import coupon_of
from tests.members.tiers_kit import make_ladder
from tests.sales.kit import TILL, assert_totals_agree, forget_books, key_of, line, order, tell

# Every column that says something, but row ids, random ids and what is read of the clock.
BOOKS: dict[type[models.Model], tuple[str, ...]] = {
    Sale: (
        "order_no", "revision", "is_current", "digest", "member_id", "store_id", "serving_guide_id", "sharing_guide_id",
        "channel", "sold_at", "business_on", "list_fen", "amount_fen", "unit_count", "points_spent", "returned_fen",
        "returned_unit_count", "is_first", "points_round", "spent_round", "activity_round", "points_earned",
        "counted_fen", "counted_orders", "points_taken", "points_outcome",
    ),
    SaleLine: (
        "sale__order_no", "sale__revision", "number", "product__code", "category_code", "quantity", "list_fen",
        "amount_fen", "returned_quantity", "returned_fen",
    ),
    SalePayment: ("sale__order_no", "sale__revision", "method", "amount_fen"),
    Product: ("code", "name", "category__code", "category__name"),
    Attribution: ("sale__order_no", "sale__revision", "rule__name", "rule_words", "made_by", "reason"),
    AttributionShare: (
        "attribution__sale__order_no", "attribution__sale__revision", "place", "role", "guide_id", "store_id",
        "share_bp",
    ),
    GuideTotal: ("period", "starts_on", "metric", "guide_id", "value"),
    GuideStoreTotal: ("period", "starts_on", "metric", "guide_id", "store_id", "value"),
    StoreTotal: ("period", "starts_on", "metric", "store_id", "value"),
    SaleCoupon: ("sale__order_no", "sale__revision", "code", "discount_fen", "amount_fen", "outcome"),
    Coupon: ("code", "state"),
    Redemption: (
        "coupon__code", "request_id", "store_id", "redeemed_by_guide_id", "channel", "order_no", "amount_fen",
        "discount_fen", "returned_fen", "returned_discount_fen", "reversed_at",
    ),
    HeldDocument: ("kind", "number", "reason", "field", "value", "state"),
    PointsAccount: ("member_id", "balance", "frozen", "debt_allowed"),
    PointsEntry: ("account__member_id", "source_key", "kind", "delta", "asked", "reason", "reversed_entry__source_key"),
    PointsLot: ("account__member_id", "entry__source_key", "granted", "remaining", "expires_at"),
    ActivityEntry: ("member_id", "source_key", "day", "spend_fen", "order_count"),
    MemberTier: ("member_id", "tier__name", "since", "earned_tier__name", "valid_until"),
    TierChange: ("member_id", "to_tier__name", "from_tier__name", "cause", "until", "spend_fen", "order_count"),
}  # fmt: skip


def books() -> dict[str, list[Any]]:
    """The books as values; totals of nothing are none. Of the ledger the sums: another order reverses at other times."""
    found: dict[str, list[Any]] = {
        model.__name__: sorted(
            (tuple(map(plain, row)) for row in model._default_manager.values_list(*names)),
            key=repr,
        )
        for model, names in BOOKS.items()
    }  # fmt: skip
    for name in ("GuideTotal", "GuideStoreTotal", "StoreTotal"):
        found[name] = [row for row in found[name] if row[-1]]
    entries = PerformanceEntry.objects.values("booked_on", "due_on", "guide_id", "store_id", "metric")
    summed = entries.annotate(total=models.Sum("value")).exclude(total=0)
    found["PerformanceEntry"] = sorted((tuple(row.values()) for row in summed), key=repr)
    return found


def plain(value: Any) -> Any:
    """A value that is equal to the same value read again."""
    return bytes(value) if isinstance(value, memoryview) else value


def forget() -> None:
    """Empty books of sales, points and tiers; the chain and its people stay."""
    forget_books(
        "sales_totalmove", "sales_product", "sales_category", "members_activityentry", "members_membertier",
        "members_tierchange", "members_pointslotuse", "members_pointslot", "members_pointsentry", "members_pointsaccount",
        "members_pendingreversal", "coupons_redemptionentry", "coupons_redemption", "coupons_couponorder",
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("UPDATE coupons_coupon SET state = 'issued'")
        cursor.execute(
            "UPDATE coupons_couponbatchshard SET redeemed_count = 0, sales_fen = 0, discount_fen = 0"
        )


def brand_goods() -> None:
    """Empty books, and two of the three products have a brand before anything is sold."""
    forget()
    for code, brand in (("P0", "甲"), ("P1", "乙")):
        Product.objects.create(code=code, brand=brand, created_at=clock.now())


def tell_in_bulk(documents: list[OrderDocument | ReturnDocument], at: dt.datetime, size: int) -> None:
    """Slices as the worker of a file takes them; what is apart follows each slice."""
    orders = [usable_order(one, at=at) for one in documents if isinstance(one, OrderDocument)]
    for start in range(0, len(orders), size):
        slice_ = orders[start : start + size]
        told = book_in_bulk(
            orders=slice_, digests=[digest_of_order(one) for one in slice_], actor=TILL, at=at
        )
        assert len(told.booked) + len(told.repeated) + len(told.apart) == len(slice_)
        for place in told.apart:
            tell(slice_[place], at=at)
    tell(*(one for one in documents if isinstance(one, ReturnDocument)), at=at)
    fold_totals()


orders = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(0, 7),
            "revision": st.sampled_from([0, 0, 0, 1]),
            "who": st.integers(0, 3),
            "hours": st.integers(0, 900),
            "guide": st.sampled_from(["T001", "T002", "T004", "", "T999"]),
            "sharing": st.sampled_from(["", "", "T004"]),
            "store": st.sampled_from(["T01", "T02", "T01", "T99"]),
            "channel": st.sampled_from(["store", "online"]),
            "fen": st.integers(1, 700_000),
            "lines": st.integers(1, 3),
            "spent": st.sampled_from([0, 0, 0, 5]),
            "has_coupon": st.sampled_from([False, False, True]),
            "paid": st.booleans(),
        }
    ),
    min_size=1,
    max_size=10,
)


def documents_of(
    story: list[dict[str, Any]], cast: Cast, now: dt.datetime
) -> list[OrderDocument | ReturnDocument]:
    people = [key_of(cast.xiaomei), key_of(cast.xiaoli), None, MemberKey("pos_card", "nobody")]
    while Coupon.objects.count() < 8:
        coupon_of(cast.xiaomei.id)
    codes = list(Coupon.objects.order_by("pk").values_list("code", flat=True))
    documents: list[OrderDocument | ReturnDocument] = []
    for told in story:
        lines = [
            line(f"P{place}", told["fen"] // (place + 1), quantity=place + 1, category_code=("tops", "", "shoes")[place])
            for place in range(told["lines"])
        ]  # fmt: skip
        amount = sum(one.amount_fen for one in lines)
        documents.append(
            order(
                f"O{told['number']}", *lines, revision=told["revision"], member=people[told["who"]],
                sold_at=now - dt.timedelta(hours=told["hours"]), serving_guide=told["guide"],
                sharing_guide=told["sharing"], store_code=told["store"], channel=told["channel"],
                coupons=(OrderCoupon(codes[told["number"]], 3_000, 10_000),) if told["has_coupon"] else (),
                points_spent=told["spent"], payments=(OrderPayment("cash", amount),) if told["paid"] else (),
            )
        )  # fmt: skip
    return documents


def lay_down_rules(now: dt.datetime) -> None:
    """Rules of attribution, a ladder, points that depend on category, day and tier, and a month that is closed."""
    AttributionRule.objects.get_or_create(
        position=1,
        defaults={"name": "线上", "channels": ["online"], "exclusive_bp": 7_000, "store_bp": 3_000},
    )
    AttributionRule.objects.get_or_create(
        position=2, defaults={"name": "分享", "sharing_bp": 3_333, "serving_bp": 6_667}
    )
    AttributionRule.objects.get_or_create(
        position=3,
        defaults={"name": "品牌", "brands": ["乙", "甲"], "serving_bp": 5_000, "store_bp": 5_000},
    )
    if not EarningRule.objects.exists():
        make_ladder()
        EarningRule.objects.create(name="全部", fen_per_point=100)
        EarningRule.objects.create(name="鞋", category="shoes", fen_per_point=30, priority=1)
        MultiplierRule.objects.create(
            name="双倍", multiplier_bp=20_000, valid_from=now.date() - dt.timedelta(days=9)
        )
    if not PeriodClose.objects.exists():
        services.close_month(month_on=now.date().replace(day=1) - dt.timedelta(days=1), actor=TILL)


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=orders, size=st.integers(1, 10), back=st.integers(0, 7))
def test_a_file_in_bulk_leaves_the_books_of_one_by_one(
    cast: Cast, story: list[dict[str, Any]], size: int, back: int
) -> None:
    now = clock.now()
    lay_down_rules(now)
    documents = documents_of(story, cast, now)
    documents.append(
        ReturnDocument(
            source="pos", return_no="R1", order_no=f"O{back}", store_code="T02", returned_at=now, amount_fen=1,
            lines=(ReturnLine(product_code="P0", quantity=1, amount_fen=1, line_number=1),),
        )
    )  # fmt: skip
    brand_goods()
    for document in documents:
        tell(document, at=now)
    one_by_one = books()
    assert_totals_agree()
    brand_goods()
    with transaction.atomic():
        tell_in_bulk(documents, now, size)
    assert not TotalMove.objects.exists()
    assert_totals_agree()
    in_bulk = books()
    for name, rows in one_by_one.items():
        assert in_bulk[name] == rows, name
    # Again: nothing but the reason of a document whose number somebody else's has taken meanwhile.
    with transaction.atomic():
        tell_in_bulk(documents, now, size)
    again = books()
    for name in in_bulk.keys() - {"HeldDocument"}:
        assert again[name] == in_bulk[name], name


def in_turn(documents: list[OrderDocument | ReturnDocument]) -> list[OrderDocument | ReturnDocument]:
    """As a batch takes them: orders before returns, of one number the lowest revision first."""
    return sorted(documents, key=lambda one: (isinstance(one, ReturnDocument), getattr(one, "revision", 0)))


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    story=orders,
    back=st.integers(0, 7),
    part=st.sampled_from([1, 3, 100]),
    few=st.sampled_from([1, 3, 100]),
    announced=st.sampled_from([0, 100]),
)
def test_a_batch_answers_and_books_as_one_by_one(
    cast: Cast, story: list[dict[str, Any]], back: int, part: int, few: int, announced: int
) -> None:
    """What is plain in bulk, the rest in parts: the answer for each document and the books are those of each told alone,
    those told before it among them."""
    now = clock.now()
    lay_down_rules(now)
    documents = documents_of(story, cast, now)
    first, rest = documents[:2], documents[2:]
    rest.append(
        ReturnDocument(
            source="pos", return_no="R1", order_no=f"O{back}", store_code="T02", returned_at=now, amount_fen=1,
            lines=(ReturnLine(product_code="P0", quantity=1, amount_fen=1, line_number=1),),
        )
    )  # fmt: skip
    # A correction may take from one member what another's order behind it rests on: then the order of both counts.
    is_in_turn = not any(told["revision"] for told in story)
    brand_goods()
    for document in first:
        tell(document, at=now)
    answers = {document: said(tell(document, at=now)[0]) for document in in_turn(rest)}
    one_by_one = books()
    brand_goods()
    for document in first:
        tell(document, at=now)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sales.services.intake._PART", part)
        patch.setattr("sales.services.bulk.FEW", few)
        patch.setattr("sales.services.intake.MOST_ANNOUNCED", announced)
        told = tell(*rest, at=now)
    fold_totals()
    assert_totals_agree()
    twice = {document for document in rest if rest.count(document) > 1}
    for document, answer in zip(rest, told, strict=True):
        if document not in twice:
            assert said(answer) == answers[document], document
    in_batch = books()
    for name in one_by_one.keys() - (set() if is_in_turn else _BY_TURN):
        assert in_batch[name] == one_by_one[name], name


# What a member's orders mean for her depends on their order where a tier multiplies points.
_BY_TURN = {"Sale", "PointsAccount", "PointsEntry", "PointsLot", "MemberTier", "TierChange"}


def said(told: DocumentOutcome) -> tuple[str, str, str, str, str]:
    """An answer without row ids."""
    return told.kind, told.number, told.outcome, told.reason, told.field


@pytest.mark.django_db
def test_of_two_orders_that_name_one_coupon_the_first_has_it(cast: Cast) -> None:
    """Also where the first is one that goes alone, and both come in a batch."""
    coupon, other = coupon_of(cast.xiaomei.id), coupon_of(cast.xiaomei.id)
    named, others = (OrderCoupon(coupon.code, 3_000, 10_000),), (OrderCoupon(other.code, 3_000, 10_000),)
    told = tell(
        order("C1", coupons=named, points_spent=5, member=key_of(cast.xiaomei)), order("C2", coupons=named),
        order("C3", coupons=others), order("C4", coupons=others),
    )  # fmt: skip
    assert [one.outcome for one in told] == ["booked"] * 4
    outcomes = SaleCoupon.objects.order_by("sale__order_no").values_list("outcome", flat=True)
    assert list(outcomes) == ["redeemed", "coupons.coupon_redeemed", "redeemed", "coupons.coupon_redeemed"]


class Bought(NamedTuple):
    """An order of up to three lines of two units, and what came back of each line; `who` bought it."""

    who: int
    fens: list[int]
    units_back: list[int]
    fen_back: int
    with_coupon: bool
    spent: int


bought = st.lists(
    st.builds(
        Bought,
        st.integers(0, 2),
        st.lists(st.integers(2, 300_000), min_size=1, max_size=3),
        st.lists(st.sampled_from([0, 1, 2, 2]), min_size=3, max_size=3),
        st.sampled_from([0, 50, 100]),
        st.booleans(),
        st.sampled_from([0, 0, 5]),
    ),
    min_size=1,
    max_size=7,
)


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=bought)
def test_returns_in_a_batch_leave_the_books_of_one_by_one(cast: Cast, story: list[Bought]) -> None:
    """Whole ones and parts, of orders with coupons and points too, several of one member."""
    now = clock.now()
    lay_down_rules(now)
    documents = [one for place, told in enumerate(story) for one in bought_and_back(place, told, cast, now)]
    left = []
    for is_batch in (False, True):
        brand_goods()
        for document in documents:
            if isinstance(document, OrderDocument):
                tell(document, at=now - dt.timedelta(minutes=1))
        back = [one for one in documents if isinstance(one, ReturnDocument)]
        told = tell(*back, at=now) if is_batch else [tell(one, at=now)[0] for one in back]
        fold_totals()
        assert_totals_agree()
        left.append(([said(one) for one in told], books()))
    for name, rows in left[0][1].items():
        assert left[1][1][name] == rows, name
    assert left[0][0] == left[1][0]


def bought_and_back(
    place: int, told: Bought, cast: Cast, now: dt.datetime
) -> list[OrderDocument | ReturnDocument]:
    story = {
        "number": place, "revision": 0, "who": told.who, "hours": 30 * place, "guide": "T001", "sharing": "", "store": "T01",
        "channel": "store", "fen": 0, "lines": 0, "spent": told.spent, "has_coupon": told.with_coupon, "paid": False,
    }  # fmt: skip
    [document] = documents_of([{**story, "lines": 1, "fen": 1}], cast, now)
    assert isinstance(document, OrderDocument)
    lines = tuple(
        line(f"P{number}", fen, quantity=2, category_code=("tops", "", "shoes")[number])
        for number, fen in enumerate(told.fens)
    )
    sold = dataclasses.replace(document, lines=lines, amount_fen=sum(told.fens))
    back = tuple(
        ReturnLine(
            product_code=f"P{number}", quantity=units, line_number=number + 1,
            amount_fen=fen if units == 2 else fen // 2 * told.fen_back // 100,
        )
        for number, (fen, units) in enumerate(zip(told.fens, told.units_back, strict=False))
        if units
    )  # fmt: skip
    if not back:
        return [sold]
    given = ReturnDocument(
        source="pos", return_no=f"R{place}", order_no=sold.order_no, store_code="T01", returned_at=now, lines=back,
        amount_fen=sum(one.amount_fen for one in back),
    )  # fmt: skip
    return [sold, given]
