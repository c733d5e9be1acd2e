"""The demo chain's sales: through the ordinary services, once, and with something of everything."""

import datetime as dt
from collections import Counter

import pytest
from django.db.models import Count, F

from config.demo.coupon_history import seed_coupon_history
from config.demo.facts import seed_facts
from config.demo.metrics import seed_metrics
from config.demo.sales import seed_sales
from config.demo.seed import seed_chain
from core import clock
from core.actor import Actor
from sales.models import (
    AttributionRule,
    HeldDocument,
    LifeStage,
    MemberMetrics,
    MetricsRun,
    Sale,
    SaleCoupon,
    SaleReturn,
)
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


def test_the_chain_has_members_of_every_life_stage_and_their_orders_say_so() -> None:
    seed_chain(at=AT, actor=ACTOR)
    seed_sales(at=AT, actor=ACTOR, orders_a_day=5)
    assert seed_metrics(at=AT, actor=ACTOR) > 0 == seed_metrics(at=AT, actor=ACTOR)
    assert MetricsRun.objects.filter(wrong_count__gt=0).count() == 0
    stages = Counter(MemberMetrics.objects.values_list("stage", flat=True))
    assert set(stages) == set(LifeStage.values)
    assert stages["lost"] >= 10
    today = clock.business_day(AT)
    kept = Sale.objects.filter(is_current=True, returned_unit_count__lt=F("unit_count"))
    for row in MemberMetrics.objects.filter(stage__in=("lost", "active")):
        last_on = kept.filter(member_id=row.member_id).latest("business_on").business_on
        assert row.last_on == last_on
        assert (row.stage == "lost") == ((today - last_on).days > 300)
