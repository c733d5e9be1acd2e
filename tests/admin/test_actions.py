"""Buttons and bulk actions call services, ask once, and show refusals as sentences."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from core.models import AuditEntry
from guides import services
from guides.models import ActivationCode, Binding, BindingPolicy, ChannelCode, Guide, Region, Store
from guides.selectors import get_guide_code
from members.services import register_member
from tests.admin.account_kit import make_push
from tests.cast import DIRECTOR, Cast
from wechat.models import InboundEvent

CONFIRMED = {"_confirmed": "1"}


def told(answer: Any) -> str:
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def bulk(desk: Client, page: str, action: str, ids: list[int], **fields: Any) -> Any:
    data = {"action": action, "_selected_action": ids, **fields}
    return desk.post(reverse(f"admin:{page}_changelist"), data)


# Replay ----------------------------------------------------------------------------------------------------


def test_one_push_is_replayed_after_a_question(desk: Client, cast: Cast) -> None:
    push = make_push(cast.account_id, 1)
    url = reverse("admin:wechat_inboundevent_replay_one", args=[push.pk])
    assert desk.get(url).status_code == 200
    push.refresh_from_db()
    assert push.state == "processed"
    answer = desk.post(url, CONFIRMED)
    assert answer["Location"] == reverse("admin:wechat_inboundevent_change", args=[push.pk])
    push.refresh_from_db()
    assert push.state == "stored"
    assert AuditEntry.objects.filter(action="wechat.replay", actor_id=cast.head_office.pk).count() == 1


def test_many_pushes_are_replayed_and_those_in_work_are_left(desk: Client, cast: Cast) -> None:
    pushes = [make_push(cast.account_id, n) for n in range(3)]
    busy = make_push(cast.account_id, 9, state="processing")
    ids = [push.pk for push in (*pushes, busy)]
    asked = bulk(desk, "wechat_inboundevent", "replay_selected", ids)
    assert asked.status_code == 200
    assert "4" in asked.content.decode()
    assert not InboundEvent.objects.filter(state="stored").exists()
    answer = bulk(desk, "wechat_inboundevent", "replay_selected", ids, **CONFIRMED)
    assert answer.status_code == 302
    assert "3" in told(answer)
    assert InboundEvent.objects.filter(state="stored").count() == 3
    assert InboundEvent.objects.get(pk=busy.pk).state == "processing"


def test_unknown_kinds_are_counted_above_the_inbox(desk: Client, cast: Cast) -> None:
    for number in range(3):
        make_push(cast.account_id, number, kind="event.brand_new", state="ignored")
    answer = desk.get(reverse("admin:wechat_inboundevent_changelist"))
    assert answer.context["unknown_count"] == 3
    assert answer.context["unknown_kinds"] == [("event.brand_new", 3)]


# Guides ----------------------------------------------------------------------------------------------------


def test_a_guide_is_hired_through_the_form(desk: Client, cast: Cast) -> None:
    fields = {"number": "T100", "name": "孙悦", "store": cast.store.id, "role": "guide"}
    assert desk.post(reverse("admin:guides_guide_add"), fields).status_code == 302
    guide = Guide.objects.get(number="T100")
    assert get_guide_code(guide.pk).is_open
    assert guide.postings.filter(ended_at=None).count() == 1


def test_a_taken_number_is_an_error_of_the_form_and_what_was_typed_stays(desk: Client, cast: Cast) -> None:
    fields = {"number": "T001", "name": "孙悦", "store": cast.store.id, "role": "guide"}
    answer = desk.post(reverse("admin:guides_guide_add"), fields)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors
    assert "孙悦" in answer.content.decode()


def test_a_service_refusal_is_shown_on_the_form(desk: Client, cast: Cast) -> None:
    services.open_store(code="T77", name="要停业的店", region_id=cast.east.id, actor=DIRECTOR)
    closed = Store.objects.get(code="T77")
    services.close_store(store_id=closed.pk, actor=DIRECTOR)
    fields = {"number": "T101", "name": "孙悦", "store": closed.pk, "role": "guide"}
    answer = desk.post(reverse("admin:guides_guide_add"), fields)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.non_field_errors()
    assert not Guide.objects.filter(number="T101").exists()


def test_leaving_says_the_numbers_and_then_does_it(desk: Client, cast: Cast) -> None:
    url = reverse("admin:guides_guide_leave", args=[cast.lina.id])
    page = desk.get(url).content.decode()
    assert "1 个渠道码" in page
    assert "1 位专属会员" in page
    assert desk.post(url, CONFIRMED).status_code == 302
    assert Guide.objects.get(pk=cast.lina.id).state == "left"
    again = desk.post(url, CONFIRMED)
    assert again.status_code == 200
    assert again.context["form"].non_field_errors()


def test_moving_and_coming_back_ask_for_the_place(desk: Client, cast: Cast) -> None:
    move = reverse("admin:guides_guide_move", args=[cast.lina.id])
    desk.post(move, {**CONFIRMED, "store": cast.other_store.id, "role": "manager"})
    guide = Guide.objects.get(pk=cast.lina.id)
    assert (guide.store_id, guide.role) == (cast.other_store.id, "manager")
    services.leave_guide(guide_id=guide.pk, actor=DIRECTOR)
    back = reverse("admin:guides_guide_come_back", args=[guide.pk])
    desk.post(back, {**CONFIRMED, "store": cast.store.id, "role": "guide"})
    guide.refresh_from_db()
    assert (guide.state, guide.store_id) == ("active", cast.store.id)


def test_an_activation_code_is_shown_once_and_kept_as_a_digest(desk: Client, cast: Cast) -> None:
    url = reverse("admin:guides_guide_issue_code", args=[cast.lina.id])
    shown = desk.post(url, CONFIRMED)
    assert shown.status_code == 200
    assert "no-store" in shown.headers["Cache-Control"]
    code = shown.context["issued"][0][1]
    assert code in shown.content.decode()
    assert ActivationCode.objects.filter(guide_id=cast.lina.id, used_at=None).count() == 1
    assert not ActivationCode.objects.filter(code_digest=code).exists()
    later = [
        desk.get(url).content.decode(),
        desk.get(reverse("admin:guides_guide_change", args=[cast.lina.id])).content.decode(),
        desk.get(reverse("admin:core_auditentry_changelist")).content.decode(),
    ]
    assert all(code not in page for page in later)


def test_codes_for_several_guides_skip_those_who_left(desk: Client, cast: Cast) -> None:
    services.leave_guide(guide_id=cast.wangfang.id, actor=DIRECTOR)
    ids = [cast.lina.id, cast.wangfang.id, cast.zhaoqiang.id]
    shown = bulk(desk, "guides_guide", "issue_codes", ids, **CONFIRMED)
    assert [guide.pk for guide, _code, _refusal in shown.context["issued"]] == [
        cast.lina.id,
        cast.zhaoqiang.id,
    ]


# Bindings --------------------------------------------------------------------------------------------------


def binding_of(member_id: int) -> Binding:
    return Binding.objects.live().get(member_id=member_id)


def test_rebinding_asks_for_guide_and_reason_and_keeps_the_history(desk: Client, cast: Cast) -> None:
    old = binding_of(cast.xiaomei.id)
    url = reverse("admin:guides_binding_rebind_one", args=[old.pk])
    missing = desk.post(url, CONFIRMED)
    assert set(missing.context["form"].errors) == {"guide", "reason"}
    desk.post(url, {**CONFIRMED, "guide": cast.wangfang.id, "reason": "会员搬家"})
    new = binding_of(cast.xiaomei.id)
    assert (new.guide_id, new.source, new.reason) == (cast.wangfang.id, "staff", "会员搬家")
    old.refresh_from_db()
    assert old.ended_at is not None
    assert old.end_reason == "会员搬家"


def test_unbinding_in_bulk_says_how_many_and_skips_the_ended(desk: Client, cast: Cast) -> None:
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.wangfang.id, source="scan", actor=DIRECTOR)
    services.rebind_member(
        member_id=cast.xiaomei.id, guide_id=cast.chenjing.id, source="staff", reason="x", actor=DIRECTOR
    )
    ids = list(Binding.objects.values_list("pk", flat=True))
    page = bulk(desk, "guides_binding", "unbind_selected", ids).content.decode()
    assert "2 位会员" in page
    assert "1 条早已结束" in page
    answer = bulk(desk, "guides_binding", "unbind_selected", ids, reason="试点结束", **CONFIRMED)
    assert answer.status_code == 302
    assert not Binding.objects.live().exists()


def test_follow_ups_for_chosen_members_are_given_to_their_guides_once(desk: Client, cast: Cast) -> None:
    ids = [cast.xiaomei.id, cast.xiaoli.id]
    page = bulk(desk, "members_member", "give_follow_ups", ids)
    assert "选中 2 位会员，1 位会交给 1 位导购" in page.content.decode()
    typed: dict[str, Any] = {
        "title": "春装到店",
        "script": "来试试吗？",
        "due_on": clock.today().isoformat(),
        "key": page.context["form"].initial["key"],
    }
    old = bulk(
        desk, "members_member", "give_follow_ups", ids, **typed | {"due_on": "2020-01-01"}, **CONFIRMED
    )
    assert "due_on" in old.context["form"].errors
    for _again in range(2):
        assert bulk(desk, "members_member", "give_follow_ups", ids, **typed, **CONFIRMED).status_code == 302
    rounds = apps.get_model("guides", "FollowUpRound").objects.all()
    assert list(rounds.values_list("title", "given_count")) == [("春装到店", 1)]
    reaches = apps.get_model("campaigns", "Reach").objects.filter(topic="task")
    assert list(reaches.values_list("member_id", flat=True)) == [cast.xiaomei.id]
    assert "春装到店" in desk.get(reverse("admin:guides_followupround_changelist")).content.decode()


def test_without_the_right_no_follow_ups_are_given(cast: Cast, client: Client) -> None:
    cast.regional.user_permissions.add(Permission.objects.get(codename="view_member"))
    client.force_login(cast.regional)
    page = client.get(reverse("admin:members_member_changelist")).content.decode()
    assert "give_follow_ups" not in page


def test_a_refusal_in_a_bulk_action_names_the_member_and_the_others_go_through(
    desk: Client, cast: Cast
) -> None:
    services.bind_member(member_id=cast.xiaoli.id, guide_id=cast.wangfang.id, source="scan", actor=DIRECTOR)
    ids = list(Binding.objects.values_list("pk", flat=True))
    # Somebody unbinds her between the question and the answer.
    page = bulk(desk, "guides_binding", "rebind_selected", ids)
    assert page.status_code == 200
    services.leave_guide(guide_id=cast.chenjing.id, actor=DIRECTOR)
    answer = bulk(
        desk, "guides_binding", "rebind_selected", ids, guide=cast.chenjing.id, reason="x", **CONFIRMED
    )
    assert answer.status_code == 200
    assert "guide" in answer.context["form"].errors
    assert binding_of(cast.xiaoli.id).guide_id == cast.wangfang.id


def test_bindings_cannot_be_edited_added_or_deleted(desk: Client, cast: Cast) -> None:
    row = binding_of(cast.xiaomei.id)
    assert desk.get(reverse("admin:guides_binding_add")).status_code == 403
    assert (
        desk.post(reverse("admin:guides_binding_change", args=[row.pk]), {"reason": "x"}).status_code == 403
    )
    assert (
        desk.post(reverse("admin:guides_binding_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    )


# Codes, places, policies, members --------------------------------------------------------------------------


def test_a_store_code_is_opened_and_closed(desk: Client, cast: Cast) -> None:
    fields = {"guide": "", "store": cast.store.id, "term": "temporary", "label": "收银台立牌"}
    fields |= {"valid_until_0": "", "valid_until_1": ""}
    assert desk.post(reverse("admin:guides_channelcode_add"), fields).status_code == 302
    code = ChannelCode.objects.get(label="收银台立牌")
    assert (code.kind, code.store_id) == ("store", cast.store.id)
    url = reverse("admin:guides_channelcode_close", args=[code.pk])
    assert desk.post(url, CONFIRMED).status_code == 302
    assert desk.post(url, CONFIRMED).context["form"].non_field_errors()
    code.refresh_from_db()
    assert code.closed_at is not None


@pytest.mark.parametrize(("guide", "store"), [(True, True), (False, False)])
def test_a_code_is_for_a_guide_or_a_store_not_both_or_neither(
    desk: Client, cast: Cast, guide: bool, store: bool
) -> None:
    fields = {
        "guide": cast.lina.id if guide else "",
        "store": cast.store.id if store else "",
        "term": "temporary",
    }
    before = ChannelCode.objects.count()
    assert desk.post(reverse("admin:guides_channelcode_add"), fields).status_code == 200
    assert ChannelCode.objects.count() == before


def test_the_picture_of_a_code_is_downloaded(desk: Client, cast: Cast) -> None:
    code = ChannelCode.objects.filter(guide_id=cast.lina.id).get()
    ChannelCode.objects.filter(pk=code.pk).update(qr_url="http://weixin.qq.com/q/02abc")
    answer = desk.get(reverse("admin:guides_channelcode_qr", args=[code.pk]))
    assert answer["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")
    assert "attachment" in answer["Content-Disposition"]


def test_store_hours_are_seven_rows(desk: Client, cast: Cast) -> None:
    url = reverse("admin:guides_store_change", args=[cast.store.id])
    fields = {"name": "南京东路店", "region": cast.east.id, "address": "新地址", "phone": "021"}
    for day in range(6):
        fields |= {f"opening_hours_{day}_opens": "09:30", f"opening_hours_{day}_closes": "21:00"}
    assert desk.post(url, fields).status_code == 302
    store = Store.objects.get(pk=cast.store.id)
    assert store.opening_hours == ["09:30-21:00"] * 6 + [""]
    half = fields | {"opening_hours_6_opens": "10:00"}
    assert "opening_hours" in desk.post(url, half).context["adminform"].form.errors


def test_a_store_with_guides_is_not_closed(desk: Client, cast: Cast) -> None:
    url = reverse("admin:guides_store_close", args=[cast.store.id])
    assert "3 位在职导购" in desk.get(url).content.decode()
    assert desk.post(url, CONFIRMED).context["form"].non_field_errors()
    assert Store.objects.get(pk=cast.store.id).is_active


def test_regions_are_opened_renamed_and_moved_but_never_below_themselves(desk: Client, cast: Cast) -> None:
    desk.post(reverse("admin:guides_region_add"), {"name": "上海", "parent": cast.east.id})
    shanghai = Region.objects.get(name="上海")
    url = reverse("admin:guides_region_change", args=[shanghai.pk])
    desk.post(url, {"name": "上海市", "parent": cast.south.id})
    shanghai.refresh_from_db()
    assert (shanghai.name, shanghai.parent_id) == ("上海市", cast.south.id)
    ring = reverse("admin:guides_region_change", args=[cast.south.id])
    assert desk.post(ring, {"name": "华南大区", "parent": shanghai.pk}).status_code == 200
    assert Region.objects.get(pk=cast.south.id).parent_id == cast.root.id


def test_a_policy_starts_switched_off_and_can_be_tried(desk: Client, full_chain: Cast) -> None:
    assert (
        desk.get(reverse("admin:guides_bindingpolicy_add")).context["adminform"].form.initial["is_active"]
        is False
    )
    policy = BindingPolicy.objects.create(name="最后扫码为准", protected_days=0, is_active=False)
    url = reverse("admin:guides_bindingpolicy_try_out", args=[policy.pk])
    for days in ("30", "90", "nonsense"):
        answer = desk.get(url, {"days": days})
        assert answer.status_code == 200
        assert answer.context["trial"].scan_count == 2


def test_two_active_policies_of_one_region_are_refused(desk: Client, full_chain: Cast) -> None:
    fields = {"name": "另一条", "region": "", "protected_days": "30", "is_active": "on"}
    answer = desk.post(reverse("admin:guides_bindingpolicy_add"), fields)
    assert "is_active" in answer.context["adminform"].form.errors


def test_a_member_is_found_by_her_whole_phone_and_its_end(desk: Client, cast: Cast) -> None:
    card = register_member(name="林小雨", phone="13812345678", source="pos", actor=DIRECTOR)
    for query in ("13812345678", "5678", card.code):
        rows = desk.get(reverse("admin:members_member_changelist"), {"q": query}).context["cl"].result_list
        assert [row.pk for row in rows] == [card.id]


def test_the_members_page_shows_her_guides_old_and_new(desk: Client, cast: Cast) -> None:
    services.rebind_member(
        member_id=cast.xiaomei.id,
        guide_id=cast.wangfang.id,
        source="staff",
        reason="会员要求",
        actor=DIRECTOR,
    )
    html = desk.get(reverse("admin:members_member_change", args=[cast.xiaomei.id])).content.decode()
    assert "李娜" in html
    assert "王芳" in html
    assert "会员要求" in html
    listed = desk.get(reverse("admin:members_member_changelist")).content.decode()
    assert "王芳 · 南京东路店" in listed


def test_opening_a_question_by_get_changes_nothing(desk: Client, cast: Cast) -> None:
    before = AuditEntry.objects.count()
    for name in ("move", "leave", "issue_code", "drop_login"):
        assert desk.get(reverse(f"admin:guides_guide_{name}", args=[cast.lina.id])).status_code == 200
    assert AuditEntry.objects.count() == before
