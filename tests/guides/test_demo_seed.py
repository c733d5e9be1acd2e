"""The demo chain: the same every time, once, and as the services would have written it."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Count, F, Q, Sum

from config.demo.consents import seed_consents
from config.demo.coupons import seed_coupons
from config.demo.doubles import seed_doubles
from config.demo.homes import seed_homes
from config.demo.requests import seed_requests
from config.demo.seed import SeedSummary, seed_chain
from config.demo.tags import seed_tags
from config.demo.tiers import seed_tiers
from core.actor import Actor
from core.models import AuditEntry
from guides import selectors
from guides.models import Binding, BindingPolicy, ChannelCode, Guide, GuidePosting, Store
from members import selectors as member_selectors
from members.contracts import MemberImport
from members.models import Member, MemberIdentity
from members.selectors import seen
from members.services import import_members
from tests.guides.requests_kit import make_kinds

AT = dt.datetime(2026, 11, 20, 13, 30, tzinfo=dt.UTC)
ACTOR = Actor.system("demo")

pytestmark = pytest.mark.django_db


def test_the_chain_is_seeded_once_whole_and_the_same_every_time() -> None:
    with transaction.atomic():
        first = seed_chain(at=AT, actor=ACTOR)
        second = seed_chain(at=AT + dt.timedelta(days=3), actor=ACTOR)
        _check_summary(first, second)
        _check_guides()
        _check_people()
        _check_bindings()
        _check_codes()
        picture = _picture()
        transaction.set_rollback(True)
    seed_chain(at=AT, actor=ACTOR)
    assert _picture() == picture


def _picture() -> tuple[list[Any], list[Any]]:
    people = Member.objects.values_list("name", "phone", "birthday", "source", "registered_at")
    bonds = Binding.objects.values_list("guide__number", "store__code", "bound_at", "source", "ended_at")
    return list(people.order_by("pk")), list(bonds.order_by("pk"))


def _check_summary(first: SeedSummary, second: SeedSummary) -> None:
    assert (first.is_new, second.is_new) == (True, False)
    assert (first.regions, first.dealers, first.stores) == (4, 2, 12)
    assert (first.guides, first.members) == (60, 5000)
    assert second.bindings == first.bindings > 4000


def _check_guides() -> None:
    managers = Guide.objects.filter(role="manager", state="active").values("store").annotate(n=Count("pk"))
    assert [row["n"] for row in managers] == [1] * 12
    lina = Guide.objects.get(number="G001")
    assert (lina.name, lina.store.code) == ("李娜", "S01")
    assert Guide.objects.get(name="王芳").store.code == "S01"
    assert (Guide.objects.get(name="赵强").store.code, Guide.objects.get(name="赵强").role) == (
        "S01",
        "manager",
    )
    assert selectors.summarize_guide(lina.pk, at=AT).live_members > 50
    assert BindingPolicy.objects.get().protected_days is None


def _check_people() -> None:
    assert set(Store.objects.values_list("region__path", flat=True).distinct()).issubset(
        apps.get_model("guides", "Region").objects.values_list("path", flat=True)
    )
    assert Member.objects.exclude(name_tokens=[]).count() > 3000
    assert Counter(Member.objects.values_list("stage", flat=True))["prospect"] > 500
    assert Member.objects.filter(registered_at__gt=AT).count() == 0
    members = Member.objects.filter(stage="member")
    assert MemberIdentity.objects.filter(kind="phone").count() == members.count() > 3000
    one = members.first()
    assert one is not None
    assert one.phone_tail == one.phone[-4:]
    assert list(member_selectors.search_member_ids(one.phone)) == [one.pk]
    assert AuditEntry.objects.filter(subject_kind="members.member").count() == 5000


def _check_bindings() -> None:
    live = Binding.objects.live()
    assert live.values("member").distinct().count() == live.count()
    assert Binding.objects.filter(ended_at__isnull=False).count() > 100
    assert Binding.objects.filter(ended_at__gt=AT).count() == 0
    assert Binding.objects.filter(bound_at__lt=F("member__registered_at")).count() == 0
    for posting in GuidePosting.objects.all():
        made = Binding.objects.filter(guide=posting.guide, bound_at__gte=posting.started_at)
        if posting.ended_at is not None:
            made = made.filter(bound_at__lt=posting.ended_at)
        assert made.exclude(store=posting.store).count() == 0
    assert GuidePosting.objects.filter(ended_at__isnull=False).count() == 5
    assert Guide.objects.filter(state="left").count() == 2


def _check_codes() -> None:
    assert ChannelCode.objects.filter(kind="store").count() == 12
    assert ChannelCode.objects.filter(kind="guide").count() == 60
    wrong = ChannelCode.objects.annotate(
        scans_made=Count("scans", distinct=True),
        follows=Count("scans", filter=Q(scans__is_new_follower=True)),
    ).exclude(scans_made=F("scan_count"), follows=F("follow_count"), binding_count=F("scan_count"))
    assert not wrong.exists()


def test_homes_are_seeded_once_in_the_cities_of_their_stores() -> None:
    seed_chain(at=AT, actor=ACTOR)
    assert seed_homes(at=AT, actor=ACTOR) > 1_000
    assert seed_homes(at=AT, actor=ACTOR) == 0
    assert {"上海市", "浙江省", "广东省", "河北省"} <= set(seen.list_provinces())
    assert seen.find_cities("杭", limit=5) == [("杭州市", "浙江省")]
    homes: Any = apps.get_model("members", "MemberAddress").objects
    of_store = Binding.objects.live().filter(guide__store__code="S03").values("member_id")
    cities = Counter(homes.filter(member_id__in=of_store).values_list("city", flat=True))
    assert set(cities) == {"杭州市", "绍兴市"}
    assert cities["杭州市"] > 5 * cities["绍兴市"]


def test_tags_are_seeded_once_and_a_size_is_exclusive() -> None:
    seed_chain(at=AT, actor=ACTOR)
    assert seed_tags(at=AT, actor=ACTOR) is True
    assert seed_tags(at=AT, actor=ACTOR) is False
    live = apps.get_model("members", "MemberTag").objects.filter(removed_at__isnull=True)
    assert live.count() > 3_000
    sizes = live.filter(tag__group__name="常穿尺码")
    assert sizes.values("member").distinct().count() == sizes.count()


def test_requests_are_seeded_once_in_every_state_and_one_is_late() -> None:
    make_kinds()
    seed_chain(at=AT, actor=ACTOR)
    assert seed_requests(at=AT, actor=ACTOR) is True
    assert seed_requests(at=AT, actor=ACTOR) is False
    requests: Any = apps.get_model("guides", "ServiceRequest").objects
    assert set(requests.values_list("state", flat=True)) == {
        "open", "accepted", "in_progress", "done", "closed", "cancelled", "refused",
    }  # fmt: skip
    assert requests.overdue(AT).count() >= 1
    lina = Guide.objects.get(number="G001")
    assert selectors.summarize_requests(lina.pk, at=AT).overdue_count >= 1


def test_every_tier_of_the_demo_has_members_and_seeding_again_changes_nothing() -> None:
    seed_chain(at=AT, actor=ACTOR)
    assert seed_tiers(at=AT, actor=ACTOR)
    counts = member_selectors.count_by_tier()
    sizes = [counts[tier.id] for tier in member_selectors.list_tiers()]
    assert len(sizes) == 4
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] > 10
    assert not seed_tiers(at=AT, actor=ACTOR)


def test_the_merge_desk_of_the_demo_has_a_pair_to_propose() -> None:
    seed_chain(at=AT, actor=ACTOR)
    assert seed_doubles(at=AT, actor=ACTOR) is True
    assert seed_doubles(at=AT, actor=ACTOR) is False
    pairs = member_selectors.list_possible_duplicates(Member.objects.all())
    assert "沈若溪" in {pair.first.display_name for pair in pairs}


def test_consents_are_seeded_once_and_some_have_to_be_asked_again() -> None:
    lines = [
        MemberImport(registered_at=AT, source="pos", name="小雅", phone=f"138001380{number:02d}")
        for number in range(30)
    ]
    import_members(lines=lines, app_id="wx", actor=ACTOR)
    assert seed_consents(at=AT, actor=ACTOR)
    assert not seed_consents(at=AT, actor=ACTOR)
    texts = {text.kind: text.version for text in member_selectors.list_current_consent_texts(at=AT)}
    assert texts == {"privacy": 2, "charter": 1, "marketing": 1, "recommendation": 1}
    reached = set(member_selectors.may_reach_ids())
    assert 10 < len(reached) < 30
    asked = [member_selectors.list_pending_consents(member_id, at=AT) for member_id in reached]
    assert any(text.kind == "privacy" for texts in asked for text in texts)


def test_coupons_are_seeded_once_in_every_state_with_true_counters() -> None:
    coupon, shard = apps.get_model("coupons", "Coupon"), apps.get_model("coupons", "CouponBatchShard")
    with transaction.atomic():
        seed_chain(at=AT, actor=ACTOR)
        assert seed_coupons(at=AT, actor=ACTOR)
        assert not seed_coupons(at=AT, actor=ACTOR)
        states = Counter(coupon.objects.values_list("state", flat=True))
        assert set(states) == {"issued", "locked", "gifting", "redeemed", "expired", "voided"}
        assert shard.objects.aggregate(n=Sum("issued_count"))["n"] == sum(states.values())
        jobs = apps.get_model("coupons", "IssueJob").objects
        assert list(jobs.order_by("pk").values_list("state", flat=True)) == ["done", "draft"]
        assert jobs.get(state="draft").asked_count > 0
        transaction.set_rollback(True)
