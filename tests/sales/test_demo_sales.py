"""The demo chain's sales: through the ordinary services, once, and with something of everything."""

import datetime as dt

import pytest
from django.db.models import Count

from config.demo.coupon_history import seed_coupon_history
from config.demo.facts import seed_facts
from config.demo.sales import seed_sales
from config.demo.seed import seed_chain
from core.actor import Actor
from sales.models import AttributionRule, HeldDocument, Sale, SaleCoupon, SaleReturn
from tests.sales.kit import assert_totals_agree, ledger

AT = dt.datetime(2026, 11, 20, 13, 30, tzinfo=dt.UTC)
ACTOR = Actor.system("demo")

pytestmark = pytest.mark.django_db


def test_the_chain_has_sold_for_a_year_once_and_with_something_of_everything() -> None:
    seed_chain(at=AT, actor=ACTOR)
    seed_coupon_history(at=AT, actor=ACTOR)
    told = seed_sales(at=AT, actor=ACTOR, orders_a_day=0.6)
    assert seed_sales(at=AT, actor=ACTOR) == 0
    assert told == Sale.objects.count() + SaleReturn.objects.count() + HeldDocument.objects.count()
    assert set(SaleCoupon.objects.values_list("outcome", flat=True)) == {"known"}
    assert Sale.objects.filter(sold_at__gt=AT).count() == 0
    assert {sale["channel"] for sale in Sale.objects.values("channel")} == {"store", "online", "private"}
    held = dict(HeldDocument.objects.values_list("reason").annotate(count=Count("pk")))
    assert held == {
        "sales.unknown_store": 2,
        "sales.unknown_guide": 1,
        "sales.unknown_member": 1,
        "sales.unknown_order": 1,
        "sales.document_conflict": 1,
    }
    assert AttributionRule.objects.active().count() == 4
    assert ledger()["sales_fen"] > 0
    assert seed_facts(at=AT, actor=ACTOR) > 0 == seed_facts(at=AT, actor=ACTOR)
    counted = ledger()
    assert min(counted[name] for name in ("new_member_count", "new_binding_count", "redemption_count")) > 100
    assert_totals_agree()
