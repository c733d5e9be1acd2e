"""A year of the demo chain's sales, dense in its last ninety days: in the shops and online, with coupons and returns,
served and shared by guides, and a few documents that nobody could book. The same every time but for `at`."""

import datetime as dt
import itertools
import random
from collections import defaultdict
from typing import Any, Final

from django.apps import apps
from django.db.models import Sum

from config.demo.goods import new_lines
from config.demo.seed import HOURS, WEEKDAY_LOAD
from core import clock
from core.actor import Actor
from sales import services
from sales.contracts import (
    MemberKey,
    OrderCoupon,
    OrderDocument,
    OrderLine,
    OrderPayment,
    ReturnDocument,
    ReturnLine,
)

_DICE_SEED: Final = 47
_DAYS: Final = 90
_OLD_DAYS: Final = 365
_BUYERS: Final = 1_300
# Orders a day of the whole chain before weekday and season; before the last ninety days the books are thin.
_ORDERS_A_DAY: Final = 36
_OLD_SHARE: Final = 0.2  # of those of the last ninety days
_STORE_WEIGHTS: Final = (9, 7, 5, 5, 4, 4, 4, 3, 3, 3, 2, 2)
_BATCH_DAYS: Final = 7
_ONLINE_SHARE: Final = 0.24
_MEMBER_SHARE: Final = 0.66
_RETURN_SHARE: Final = 0.045
# How many of those who never bought much stop coming, having bought something, and how many days after joining: whom the
# chain would win back.
_STOP_SHARE: Final = 0.25
_STOP_DAYS: Final = (20, 70)
_MUCH_FEN: Final = 200_000
# Festivals: month and day, and how much busier the shops are then.
_FESTIVALS: Final = {(11, 11): 2.4, (11, 10): 1.5, (12, 12): 1.7, (10, 1): 1.8, (10, 2): 1.7, (10, 3): 1.5, (6, 18): 1.9,
                     (5, 1): 1.6, (1, 1): 1.5, (2, 14): 1.4, (3, 8): 1.6}  # fmt: skip
_METHODS: Final = (("wechat", 62), ("alipay", 24), ("card", 9), ("cash", 5))
# Place in the order, name, channels, parts in basis points: serving, exclusive, sharing, store.
_RULES: Final[tuple[tuple[int, str, tuple[str, ...], tuple[int, int, int, int]], ...]] = (
    (1, "导购分享成交", ("online", "private"), (0, 0, 7_000, 3_000)),
    (2, "线上订单归专属导购", ("online", "private"), (0, 7_000, 0, 3_000)),
    (3, "门店销售归接待导购", ("store",), (10_000, 0, 0, 0)),
    (4, "没有导购的归门店", (), (0, 0, 0, 10_000)),
)


def seed_sales(*, at: dt.datetime, actor: Actor, orders_a_day: float = _ORDERS_A_DAY) -> int:
    """Rules, orders, returns and waiting documents exist. Seeds once; how many documents this call told."""
    if apps.get_model("sales", "Sale").objects.exists():
        return 0
    _seed_rules()
    history = _History(random.Random(_DICE_SEED), at, orders_a_day)  # noqa: S311  (invents customs, keeps no secret)
    told = 0
    for documents, moment in history.batches():
        services.record_documents(documents=documents, actor=actor, at=moment)
        told += len(documents)
    waiting = _unbookable(history, at)
    services.record_documents(documents=waiting, actor=actor, at=at)
    return told + len(waiting)


def _seed_rules() -> None:
    serving = ("serving_bp", "exclusive_bp", "sharing_bp", "store_bp")
    for position, name, channels, parts in _RULES:
        apps.get_model("sales", "AttributionRule").objects.get_or_create(
            position=position,
            defaults={"name": name, "channels": list(channels), **dict(zip(serving, parts, strict=True))},
        )
    apps.get_model("members", "EarningRule").objects.get_or_create(
        name="每消费 1 元积 1 分", defaults={"fen_per_point": 100}
    )


class _History:
    """Who sells, who buys, and what came back."""

    def __init__(self, dice: random.Random, at: dt.datetime, orders_a_day: float) -> None:
        self.dice, self.at, self.orders_a_day = dice, at, orders_a_day
        self.stores = list(
            apps.get_model("guides", "Store").objects.order_by("pk").values_list("code", flat=True)
        )
        self.guides: dict[str, list[str]] = defaultdict(list)
        working = apps.get_model("guides", "Guide").objects.filter(state="active").order_by("pk")
        for number, store in working.values_list("number", "store__code"):
            self.guides[store].append(number)
        spent = _spent()
        self.buyers = self._buyers(spent)
        # Added up once: thousands of orders draw from them. Whose tier says that she buys much does.
        self.favours = list(
            itertools.accumulate(
                dice.paretovariate(1.3) * (1 + spent.get(code, 0) / _MUCH_FEN)
                for code, _guide, _store, _joined_at in self.buyers
            )
        )
        self.stops = {
            code: joined_at + dt.timedelta(days=dice.uniform(*_STOP_DAYS))
            for code, _guide, _store, joined_at in self.buyers
            if spent.get(code, 0) < _MUCH_FEN and dice.random() < _STOP_SHARE
        }
        self.tries: dict[dt.date, list[tuple[str, str, str, dt.datetime]]] = defaultdict(list)
        for buyer in self.buyers:
            if buyer[0] in self.stops:
                self.tries[clock.business_day(buyer[3] + dt.timedelta(days=dice.uniform(1, 15)))].append(
                    buyer
                )
        self.redeemed = self._redemptions()
        self.number = 0
        self.goods_to_come: list[tuple[dt.datetime, OrderDocument]] = []

    def _buyers(self, spent: dict[str, int]) -> list[tuple[str, str, str, dt.datetime]]:
        """Members with their guide and the store she works in: all who have a tier to show for it, and others."""
        bound = apps.get_model("guides", "Binding").objects.filter(
            ended_at__isnull=True, guide__state="active"
        )
        rows = bound.order_by("member_id").values_list(
            "member__code", "guide__number", "guide__store__code", "member__registered_at"
        )
        known = [row for row in rows if row[0] in spent]
        others = [row for row in rows if row[0] not in spent]
        chosen = known + self.dice.sample(others, max(0, _BUYERS - len(known)))
        return sorted(chosen, key=lambda row: row[3])

    def _redemptions(self) -> dict[dt.date, list[Any]]:
        """Coupons that tills redeemed before: each had its order."""
        found: dict[dt.date, list[Any]] = defaultdict(list)
        rows = apps.get_model("coupons", "Redemption").objects.filter(
            reversed_at__isnull=True, order__isnull=True, coupon__member__isnull=False
        )
        for row in rows.select_related("coupon__member", "store").order_by("pk"):
            found[clock.business_day(row.redeemed_at)].append(row)
        return found

    def batches(self) -> list[tuple[list[OrderDocument | ReturnDocument], dt.datetime]]:
        """What is told at the end of each week, the oldest first; the last batch is told now."""
        today = clock.business_day(self.at)
        made: list[tuple[list[OrderDocument | ReturnDocument], dt.datetime]] = []
        documents: list[OrderDocument | ReturnDocument] = []
        for days_ago in range(_OLD_DAYS, -1, -1):
            day = today - dt.timedelta(days=days_ago)
            documents += self._orders_of(day, days_ago)
            if days_ago % _BATCH_DAYS == 0:
                ends = min(self.at, _moment(day + dt.timedelta(days=1), 0, 5))
                documents += self._returns_until(ends)
                made.append((documents, ends))
                documents = []
        return made

    def _orders_of(self, day: dt.date, days_ago: int) -> list[OrderDocument | ReturnDocument]:
        usual = self.orders_a_day * (1.0 if days_ago <= _DAYS else _OLD_SHARE)
        busy = WEEKDAY_LOAD[day.weekday()] / 10 * _FESTIVALS.get((day.month, day.day), 1.0)
        orders: list[OrderDocument | ReturnDocument] = [
            order for row in self.redeemed[day] if (order := self._with_coupon(row)).sold_at < self.at
        ]
        tried = (
            self._document(self._hour_of(day), buyer[2], "store", buyer, serving=buyer[1])
            for buyer in self.tries[day]
        )
        orders += [order for order in tried if order.sold_at < self.at]
        for _one in range(round(usual * busy * self.dice.uniform(0.8, 1.25))):
            order = self._order(self._hour_of(day))
            if order.sold_at >= self.at:
                continue
            orders.append(order)
            if self.dice.random() < _RETURN_SHARE:
                back = order.sold_at + dt.timedelta(days=self.dice.uniform(0.5, 9))
                self.goods_to_come.append((back, order))
        return orders

    def _hour_of(self, day: dt.date) -> dt.datetime:
        """An instant of the day, when shops are busy sooner than when they are not."""
        hour = self.dice.choices(list(HOURS), list(HOURS.values()))[0]
        return _moment(day, hour, self.dice.randrange(60))

    def _order(self, sold_at: dt.datetime) -> OrderDocument:
        if self.dice.random() < _ONLINE_SHARE:
            return self._online(self._night(sold_at))
        store = self.dice.choices(self.stores, _STORE_WEIGHTS[: len(self.stores)])[0]
        buyer = self._buyer(sold_at, store=store) if self.dice.random() < _MEMBER_SHARE else None
        serving = self.dice.choice(self.guides[store])
        if buyer is not None and buyer[1] in self.guides[store] and self.dice.random() < 0.7:
            serving = buyer[1]
        if self.dice.random() < 0.05:
            serving = ""
        return self._document(sold_at, store, "store", buyer, serving=serving)

    def _online(self, sold_at: dt.datetime) -> OrderDocument:
        """A quarter of these come while the shops are closed; many follow what her guide shared."""
        buyer = self._buyer(sold_at)
        shared = buyer[1] if buyer is not None and self.dice.random() < 0.45 else ""
        store = buyer[2] if buyer is not None else self.dice.choice(self.stores)
        channel = "private" if shared or self.dice.random() < 0.3 else "online"
        return self._document(sold_at, store, channel, buyer, sharing=shared)

    def _night(self, sold_at: dt.datetime) -> dt.datetime:
        return sold_at + dt.timedelta(hours=3) if self.dice.random() < 0.25 else sold_at

    def _buyer(self, sold_at: dt.datetime, *, store: str = "") -> tuple[str, str, str, dt.datetime] | None:
        """Somebody who was a member then and still came, of that store where it is asked for."""
        for buyer in self.dice.choices(self.buyers, cum_weights=self.favours, k=12):
            if buyer[3] < sold_at < self.stops.get(buyer[0], self.at) and store in ("", buyer[2]):
                return buyer
        return None

    def _document(
        self,
        sold_at: dt.datetime,
        store: str,
        channel: str,
        buyer: tuple[str, str, str, dt.datetime] | None,
        *,
        serving: str = "",
        sharing: str = "",
    ) -> OrderDocument:
        self.number += 1
        lines = new_lines(self.dice)
        return _order_of(
            source="pos" if channel == "store" else "shop",
            order_no=f"{'P' if channel == 'store' else 'W'}{sold_at:%y%m%d}{self.number:05d}",
            sold_at=sold_at, store_code=store, channel=channel, lines=lines, method=self._method(),
            member=None if buyer is None else MemberKey("member_code", buyer[0]),
            serving_guide=serving, sharing_guide=sharing,
        )  # fmt: skip

    def _with_coupon(self, row: Any) -> OrderDocument:
        """The order of a coupon that a till redeemed: goods for what the coupon counted for."""
        price = row.amount_fen - row.discount_fen
        line = OrderLine(
            product_code="CT-5517", product_name="风衣外套", category_code="coats", category_name="外套", quantity=1,
            list_fen=row.amount_fen, amount_fen=price,
        )  # fmt: skip
        guides = self.guides[row.store.code]
        return _order_of(
            source="pos", order_no=row.order_no, sold_at=row.redeemed_at, store_code=row.store.code, channel="store",
            lines=(line,), method=self._method(), member=MemberKey("member_code", row.coupon.member.code),
            serving_guide=self.dice.choice(guides) if guides else "",
            coupons=(OrderCoupon(row.coupon.code, row.discount_fen, row.amount_fen),),
        )  # fmt: skip

    def _method(self) -> str:
        return self.dice.choices([name for name, _w in _METHODS], [weight for _n, weight in _METHODS])[0]

    def _returns_until(self, ends: dt.datetime) -> list[ReturnDocument]:
        due = [one for one in self.goods_to_come if one[0] < ends]
        self.goods_to_come = [one for one in self.goods_to_come if one[0] >= ends]
        return [_return_of(order, back, whole=self.dice.random() < 0.6) for back, order in due]


def _spent() -> dict[str, int]:
    """Fen by member code, as the purchases say that gave tiers (`config.demo.tiers`)."""
    bought = apps.get_model("members", "ActivityEntry").objects.filter(source_key__startswith="demo:")
    return dict(bought.values_list("member__code").annotate(fen=Sum("spend_fen")).order_by())


def _order_of(*, lines: tuple[OrderLine, ...], method: str, **values: Any) -> OrderDocument:
    amount = sum(line.amount_fen for line in lines)
    return OrderDocument(lines=lines, amount_fen=amount, payments=(OrderPayment(method, amount),), **values)


def _return_of(order: OrderDocument, back: dt.datetime, *, whole: bool) -> ReturnDocument:
    """All of an order, or its first line."""
    lines = tuple(
        ReturnLine(
            product_code=line.product_code, product_name=line.product_name, quantity=line.quantity,
            amount_fen=line.amount_fen, line_number=number,
        )
        for number, line in enumerate(order.lines if whole else order.lines[:1], 1)
    )  # fmt: skip
    return ReturnDocument(
        source=order.source, return_no=f"R{order.order_no}", order_no=order.order_no, returned_at=back,
        store_code=order.store_code, lines=lines, amount_fen=sum(line.amount_fen for line in lines),
    )  # fmt: skip


def _unbookable(history: _History, at: dt.datetime) -> list[OrderDocument | ReturnDocument]:
    """For the desk: a store that is not registered yet, a guide nobody knows, a card nobody has, one number with two
    contents, and a return whose order has not come."""
    moment, line = at - dt.timedelta(hours=5), new_lines(history.dice)
    values: dict[str, Any] = {
        "source": "pos",
        "sold_at": moment,
        "channel": "store",
        "lines": line,
        "method": "wechat",
    }
    lost = _order_of(order_no="PLOST0001", store_code="S01", **values)
    booked = _order_of(order_no="PTWICE0001", store_code="S02", **values)
    return [
        _order_of(order_no="PNEW0001", store_code="S13", **values),
        _order_of(order_no="PNEW0002", store_code="S13", **values),
        _order_of(order_no="PGUIDE0001", store_code="S03", serving_guide="G999", **values),
        _order_of(
            order_no="PCARD0001", store_code="S01", member=MemberKey("pos_card", "6222-0199"), **values
        ),
        booked,
        _order_of(order_no="PTWICE0001", store_code="S02", **values | {"channel": "online"}),
        _return_of(lost, at - dt.timedelta(hours=1), whole=True),
    ]


def _moment(day: dt.date, hour: int, minute: int) -> dt.datetime:
    time = dt.time(hour, minute, tzinfo=clock.SHANGHAI)
    return dt.datetime.combine(day, time).astimezone(dt.UTC)
