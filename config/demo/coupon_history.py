"""Two months of coupons for the demo's charts and statements: handed out by the chain and by guides, used here and
there, some brought back. The same every time but for `at`."""

import datetime as dt
import random
from typing import Any, Final

from django.apps import apps
from django.db import transaction

from core import clock
from core.actor import Actor
from coupons import services
from coupons.contracts import BatchTerms, PolicyTerms, TemplateTerms
from coupons.services import Order

_DICE_SEED: Final = 29
_DAYS: Final = 62
_HELD_DAYS: Final = 25  # then it is forgotten in a purse, and expires
_NAMES: Final = ("秋季上新满减", "导购专属八五折")
_WEEKDAY_PIECES: Final = (3, 3, 3, 4, 5, 8, 7)


def seed_coupon_history(*, at: dt.datetime, actor: Actor) -> bool:
    """The history, its numbers and its settlement exist. Seeds once; whether this call wrote them."""
    if apps.get_model("coupons", "CouponBatch").objects.filter(name=_NAMES[0]).exists():
        return False
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents customs, keeps no secret)
    with transaction.atomic():
        history = _History(dice, at, actor)
        for days_ago in range(_DAYS, 0, -1):
            history.live_through(days_ago)
    services.decide_policy(terms=PolicyTerms(10_000, 0, 0), actor=actor)
    services.decide_policy(terms=PolicyTerms(5_000, 0, 5_000), batch_id=history.batches[1], actor=actor)
    services.fold_stats(actor=actor)
    services.settle_redemptions(actor=actor)
    for month in _months_over(at):
        services.close_month(month=month, actor=actor, at=at)
    return True


class _History:
    """Who hands out, who holds, and what is still in somebody's purse."""

    def __init__(self, dice: random.Random, at: dt.datetime, actor: Actor) -> None:
        self.dice, self.at, self.actor = dice, at, actor
        began = at - dt.timedelta(days=_DAYS + 1)
        self.batches = [
            _open(terms, batch, actor=actor, at=began)
            for terms, batch in zip(_terms(), _batches(), strict=True)
        ]
        members = apps.get_model("members", "Member").objects.order_by("pk")
        self.members = list(members.values_list("pk", flat=True)[400:2_400])
        guides = apps.get_model("guides", "Guide").objects.filter(state="active").order_by("pk")
        self.guides = list(guides.values_list("pk", "name", "store_id"))
        self.stores = sorted({store_id for _pk, _name, store_id in self.guides})
        self.purse: list[tuple[str, int | None, int]] = []
        self.used: list[str] = []

    def live_through(self, days_ago: int) -> None:
        """One day: coupons come, some are used, one may be brought back."""
        moment = _noon(self.at, days_ago=days_ago)
        pieces = _WEEKDAY_PIECES[clock.business_day(moment).weekday()]
        for number in range(pieces):
            self._hand_out(days_ago, number, moment + dt.timedelta(minutes=7 * number))
        self.purse = [held for held in self.purse if held[2] < days_ago + _HELD_DAYS]
        for number in range(min(len(self.purse), round(pieces * 0.55))):
            self._use(days_ago, number, moment + dt.timedelta(minutes=90 + 11 * number))
        if self.used and self.dice.random() < 0.12:
            services.reverse_redemption(
                request_id=self.used.pop(self.dice.randrange(len(self.used))), reversal_key="back", reason="顾客退货",
                actor=self.actor, at=moment + dt.timedelta(hours=7),
            )  # fmt: skip
        if days_ago % 7 == 0:
            services.expire_coupons(actor=self.actor, at=moment)

    def _hand_out(self, days_ago: int, number: int, at: dt.datetime) -> None:
        member_id = self.members.pop(self.dice.randrange(len(self.members)))
        values: dict[str, Any] = {"member_id": member_id, "request_key": "history", "at": at}
        if number % 2 == 0:
            issued = services.claim_coupon(batch_id=self.batches[0], actor=self.actor, **values)
            self.purse.append((issued.code, None, days_ago))
            return
        guide_id, name, store_id = self.dice.choice(self.guides)
        issued = services.issue_coupon(
            batch_id=self.batches[1], door="guide", guide_id=guide_id, store_id=store_id,
            actor=Actor.guide(guide_id, name), **values,
        )  # fmt: skip
        self.purse.append((issued.code, store_id, days_ago))

    def _use(self, days_ago: int, number: int, at: dt.datetime) -> None:
        code, home, _since = self.purse.pop(self.dice.randrange(len(self.purse)))
        is_away = home is None or self.dice.random() < 0.35
        store_id = self.dice.choice(self.stores) if is_away or home is None else home
        amount = self.dice.randrange(50_000, 140_000, 100)
        services.redeem_coupon(
            code=code,
            order=Order(
                store_id=store_id,
                order_no=f"H{days_ago:02d}{number:03d}",
                amount_fen=amount,
                discount_fen=8_000 if home is None else min(15_000, amount * 15 // 100),
                till="1",
            ),
            request_id=f"history-{days_ago}-{number}",
            actor=self.actor,
            at=at,
        )
        self.used.append(f"history-{days_ago}-{number}")


def _terms() -> tuple[TemplateTerms, TemplateTerms]:
    return (
        TemplateTerms(
            title="满 500 减 80", kind="cash_off", off_fen=8_000, min_spend_fen=50_000, validity="from_today", valid_days=45,
            colour="orange",
        ),
        TemplateTerms(
            title="导购专属 8.5 折", kind="percent", rate_bp=8_500, cap_fen=15_000, validity="from_today", valid_days=30,
            colour="green",
        ),
    )  # fmt: skip


def _batches() -> tuple[BatchTerms, BatchTerms]:
    return (
        BatchTerms(name=_NAMES[0], quota=5_000, doors=("claim",)),
        BatchTerms(name=_NAMES[1], quota=3_000, doors=("guide",), guide_quota=30, guide_quota_period="week"),
    )


def _open(terms: TemplateTerms, batch: BatchTerms, *, actor: Actor, at: dt.datetime) -> int:
    template = services.create_template(terms=terms, actor=actor, at=at)
    made = services.create_batch(template_id=template.id, terms=batch, actor=actor, at=at)
    services.open_batch(batch_id=made.id, actor=actor, at=at)
    return made.id


def _noon(at: dt.datetime, *, days_ago: int) -> dt.datetime:
    day = clock.business_day(at) - dt.timedelta(days=days_ago)
    return dt.datetime.combine(day, dt.time(12), clock.SHANGHAI).astimezone(dt.UTC)


def _months_over(at: dt.datetime) -> list[dt.date]:
    """Months with lines that are over, but for the last: that one is left to be closed by whoever looks."""
    this = clock.business_day(at).replace(day=1)
    months = apps.get_model("coupons", "SettlementMonth").objects.filter(month__lt=this).order_by("month")
    return list(months.values_list("month", flat=True))[:-1]
