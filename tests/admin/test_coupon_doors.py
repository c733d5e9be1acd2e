"""Standing rules and face-to-face offers at the desk: forms, buttons, logs, and who sees which rows."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from coupons import services
from coupons.contracts import StandingTerms
from coupons.models import FaceToFaceOffer, StandingIssue, StandingRule
from guides import services as guide_services
from guides.models import ChannelCode
from members.models import Member
from tests.cast import Cast
from tests.coupons.kit import BOSS, key, make_batch, make_members
from tests.members.tiers_kit import make_ladder
from tests.sales.kit import key_of, line, order, tell
from tests.sales.test_purchase_gifts import make_rule


def press(desk: Client, button: str, pk: int, **values: Any) -> Any:
    return desk.post(reverse(f"admin:coupons_{button}", args=[pk]), {"_confirmed": "1", **values})


def page_of(desk: Client, model: str, pk: int) -> str:
    return desk.get(reverse(f"admin:coupons_{model}_change", args=[pk])).content.decode()


def test_a_rule_is_made_tried_switched_on_and_off(desk: Client, cast: Cast) -> None:
    _floor, silver, _gold = make_ladder()
    batch = make_batch(5, member_limit=1)
    form = {"name": "金秋生日", "occasion": "birthday", "batch": str(batch), "days_before": "1", "tier_id": "",
            "store_ids": [str(cast.store.id)], "sources": ["follow", "scan"]}  # fmt: skip
    assert desk.post(reverse("admin:coupons_standingrule_add"), form).status_code == 302
    rule = StandingRule.objects.get()
    assert (rule.store_ids, rule.sources, rule.days_before) == ([cast.store.id], ["follow", "scan"], 1)
    shown = page_of(desk, "standingrule", rule.pk)
    assert f'<option value="{cast.store.id}" selected>' in shown
    wrong = desk.post(
        reverse("admin:coupons_standingrule_change", args=[rule.pk]), form | {"tier_id": str(silver.id)}
    )
    assert "tier_id" in wrong.context["adminform"].form.errors
    Member.objects.filter(pk=cast.xiaomei.id).update(birthday=clock.today().replace(year=1992))
    tried = desk.get(reverse("admin:coupons_standingrule_preview", args=[rule.pk]))
    assert [str(one) for one in get_messages(tried.wsgi_request)] == [
        "今天会发给 1 位会员", "批次还剩 5 张", "批次设了每人限领，同一位会员以后再遇到可能就发不到了",
    ]  # fmt: skip
    asked = desk.get(reverse("admin:coupons_standingrule_switch_on", args=[rule.pk])).content.decode()
    assert "今天会发给 1 位会员" in asked
    assert press(desk, "standingrule_switch_on", rule.pk).status_code == 302
    rule.refresh_from_db()
    assert rule.state == "on"
    changed = desk.post(
        reverse("admin:coupons_standingrule_change", args=[rule.pk]),
        form | {"occasion": "joined", "days_before": "0"},
    )
    assert "请先关闭再改" in changed.content.decode()
    press(desk, "standingrule_switch_off", rule.pk)
    rule.refresh_from_db()
    assert rule.state == "off"


def test_a_rules_page_says_who_got_what_and_why_not_and_tries_again(desk: Client, cast: Cast) -> None:
    batch = make_batch(1)
    rule = services.create_standing_rule(
        terms=StandingTerms(name="欢迎券", occasion="bound", batch_id=batch), actor=BOSS
    ).id
    services.switch_rule_on(rule_id=rule, actor=BOSS)
    for member in make_members(3):
        guide_services.bind_member(member_id=member, guide_id=cast.lina.id, source="scan", actor=BOSS)
    services.work_standing_rules(actor=BOSS)
    shown = page_of(desk, "standingrule", rule)
    assert "券已经领完了" in shown
    assert f"/standingissue/?rule__id__exact={rule}" in shown
    listed = desk.get(
        reverse("admin:coupons_standingissue_changelist"), {"rule__id__exact": str(rule), "state": "refused"}
    )
    assert len(listed.context["cl"].result_list) == 2
    services.extend_quota(batch_id=batch, more=5, actor=BOSS)
    told = press(desk, "standingrule_retry", rule)
    assert "2 位会员重新排队" in str(next(iter(get_messages(told.wsgi_request))))
    assert StandingIssue.objects.filter(state="waiting").count() == 2
    assert reverse("admin:coupons_standingrule_retry", args=[rule]) not in page_of(desk, "standingrule", rule)


def test_an_offer_is_seen_with_its_scans_and_ended_early(desk: Client, full_chain: Cast) -> None:
    offer = FaceToFaceOffer.objects.get()
    shown = page_of(desk, "facetofaceoffer", offer.pk)
    assert "小美" in shown
    assert "出示中" in shown
    assert press(desk, "facetofaceoffer_close", offer.pk).status_code == 302
    offer.refresh_from_db()
    assert offer.closed_at is not None
    assert "提前结束" in page_of(desk, "facetofaceoffer", offer.pk)
    codes = desk.get(reverse("admin:guides_channelcode_changelist")).context["cl"].result_list
    assert offer.channel_code_id not in {row.pk for row in codes}
    assert ChannelCode.objects.filter(pk=offer.channel_code_id).exists()


@pytest.mark.django_db
def test_a_region_sees_offers_of_its_stores_and_issues_to_its_members(cast: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(content_type__app_label="coupons"))
    batch = make_batch()
    offers = [
        services.open_face_to_face(batch_id=batch, guide_id=guide.id, request_key=key(), actor=BOSS)
        for guide in (cast.lina, cast.chenjing)
    ]
    rule = services.create_standing_rule(
        terms=StandingTerms(name="欢迎券", occasion="bound", batch_id=batch), actor=BOSS
    ).id
    services.switch_rule_on(rule_id=rule, actor=BOSS, at=cast.xiaomei.registered_at)
    guide_services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.chenjing.id, source="scan", actor=BOSS)
    services.work_standing_rules(actor=BOSS)
    east = Client()
    east.force_login(cast.regional)
    seen = east.get(reverse("admin:coupons_facetofaceoffer_changelist")).context["cl"].result_list
    assert [row.public_id for row in seen] == [offers[0].public_id]
    seen = east.get(reverse("admin:coupons_standingissue_changelist")).context["cl"].result_list
    assert [row.member_id for row in seen] == [cast.xiaomei.id]
    shown = page_of(east, "standingrule", rule)
    assert "小美" in shown
    assert "小丽" not in shown
    foreign = FaceToFaceOffer.objects.get(public_id=offers[1].public_id)
    assert east.get(reverse("admin:coupons_facetofaceoffer_change", args=[foreign.pk])).status_code == 302
    press(east, "facetofaceoffer_close", foreign.pk)
    foreign.refresh_from_db()
    assert foreign.closed_at is None


def test_a_rules_page_says_how_many_purchases_would_have_earned_it(desk: Client, cast: Cast) -> None:
    rule_id = make_rule(store_ids=(cast.store.id,))
    tell(order("P1", line("A1", 9_000), member=key_of(cast.xiaomei)))
    address = reverse("admin:sales_would_earn", args=[rule_id])
    page = desk.get(reverse("admin:coupons_standingrule_change", args=[rule_id])).content.decode()
    assert address in page
    assert "有 1 笔会员订单符合（1 位会员）" in desk.get(address).content.decode()
    assert desk.get(reverse("admin:sales_would_earn", args=[10**9])).status_code == 404
    desk.force_login(cast.regional)
    assert desk.get(address).status_code == 403
