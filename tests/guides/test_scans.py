"""Scans of channel codes: settled once, counted once, greeted once."""

import datetime as dt
import json
import threading
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError
from django.db.models import Count

from core import clock, events
from core.actor import Actor
from core.errors import Refusal
from core.models import AuditEntry
from guides import handlers, selectors, services
from guides.contracts import ScanResult
from guides.models import Binding, BindingPolicy, ChannelCode, ChannelScan, Guide
from members import services as member_services
from tests.cast import Cast, make_follower, make_guide, make_store, openid_of
from tests.threads import at_once
from wechat.events import CodeScanned

STAFF = Actor.staff(1, "总部")

pytestmark = pytest.mark.django_db


def _code(guide_id: int) -> str:
    return selectors.get_guide_code(guide_id).code


def _store_code(store_id: int) -> str:
    return services.open_channel_code(store_id=store_id, actor=STAFF).code


def _scan(member_id: int, scene: str, key: str = "k1", **more: Any) -> ScanResult:
    asked: dict[str, Any] = {
        "member_id": member_id,
        "scene": scene,
        "is_new_follower": False,
        "request_key": key,
        "actor": Actor.wechat(),
    }
    return services.resolve_scan(**asked | more)


def _counts(scene: str) -> tuple[int, int, int]:
    return ChannelCode.objects.values_list("scan_count", "follow_count", "binding_count").get(code=scene)


def _event(cast: Cast, scene: str, openid: str, inbound_id: int = 7, **more: Any) -> CodeScanned:
    told: dict[str, Any] = {
        "account_id": cast.account_id,
        "app_id": cast.app_id,
        "openid": openid,
        "unionid": None,
        "scene": scene,
        "is_new_follower": True,
        "inbound_id": inbound_id,
        "at": int(clock.now().timestamp()),
    }
    return CodeScanned(**told | more)


def _messages() -> list[tuple[str, str, str]]:
    rows = apps.get_model("wechat", "OutboundMessage").objects.order_by("pk")
    return [(row.reason_key, row.openid, row.payload["text"]) for row in rows]


def test_a_guides_code_binds_a_free_member_and_is_counted(cast: Cast) -> None:
    code = _code(cast.lina.id)
    result = _scan(cast.xiaoli.id, code, is_new_follower=True)
    assert (result.outcome, result.is_repeat) == ("bound", False)
    assert result.guide is not None
    assert result.guide.id == cast.lina.id
    binding = Binding.objects.get(request_key="k1")
    assert binding.pk == result.binding_id
    assert (binding.source, binding.store_id) == ("scan", cast.store.id)
    assert _counts(code) == (1, 1, 1)


def test_the_same_request_again_is_the_first_answer_and_counts_nothing(cast: Cast) -> None:
    code = _code(cast.lina.id)
    first = _scan(cast.xiaoli.id, code)
    services.rebind_member(
        member_id=cast.xiaoli.id, guide_id=cast.wangfang.id, source="member", reason="", actor=STAFF
    )
    again = _scan(cast.xiaoli.id, code)
    assert (again.scan_id, again.outcome, again.binding_id, again.is_repeat) == (
        first.scan_id,
        "bound",
        first.binding_id,
        True,
    )
    assert _counts(code) == (1, 0, 1)
    for other in ({"scene": "OTHER"}, {"member_id": cast.xiaomei.id}):
        with pytest.raises(Refusal) as refusal:
            _scan(**{"member_id": cast.xiaoli.id, "scene": code} | other)  # type: ignore[arg-type]
        assert refusal.value.code == "guides.request_key_reused"


def test_a_request_told_again_after_a_merge_still_gets_its_answer(cast: Cast) -> None:
    twin = make_follower("小丽二", openid_of("twin"))
    code = _code(cast.lina.id)
    first = _scan(twin.id, code)
    member_services.merge_members(first_id=cast.xiaoli.id, second_id=twin.id, actor=STAFF)
    again = _scan(twin.id, code)
    assert (again.scan_id, again.member_id, again.is_repeat) == (first.scan_id, cast.xiaoli.id, True)


def test_her_own_guides_code_and_another_guides_code_change_nothing(cast: Cast) -> None:
    own = _scan(cast.xiaomei.id, _code(cast.lina.id), "k1")
    other = _scan(cast.xiaomei.id, _code(cast.wangfang.id), "k2")
    assert (own.outcome, other.outcome) == ("already_yours", "kept_by_other")
    assert own.guide is not None
    assert other.guide is not None
    assert own.guide.id == other.guide.id == cast.lina.id
    assert Binding.objects.filter(member_id=cast.xiaomei.id).count() == 1
    assert _counts(_code(cast.wangfang.id)) == (1, 0, 0)


def test_unknown_closed_expired_and_left_codes_bind_nobody(cast: Cast) -> None:
    at = clock.now()
    closing = services.open_channel_code(guide_id=cast.lina.id, actor=STAFF)
    services.close_channel_code(channel_code_id=closing.id, actor=STAFF)
    ending = services.open_channel_code(
        guide_id=cast.lina.id, valid_until=at + dt.timedelta(days=1), actor=STAFF, at=at
    )
    left = _code(cast.wangfang.id)
    services.leave_guide(guide_id=cast.wangfang.id, actor=STAFF)
    empty = make_store("T09", "空店", cast.east.id)
    outcomes = {
        "unknown_code": _scan(cast.xiaoli.id, "NOBODY", "k1"),
        "code_closed": _scan(cast.xiaoli.id, closing.code, "k2"),
        "guide_left": _scan(cast.xiaoli.id, left, "k4"),
        "no_guide": _scan(cast.xiaoli.id, _store_code(empty.id), "k5"),
    }
    assert {name: result.outcome for name, result in outcomes.items()} == {name: name for name in outcomes}
    late = _scan(cast.xiaoli.id, ending.code, "k6", at=at + dt.timedelta(days=1))
    assert late.outcome == "code_closed"
    assert not Binding.objects.filter(member_id=cast.xiaoli.id).exists()
    assert ChannelScan.objects.count() == 5
    assert _counts(left) == (1, 0, 0)


def test_a_guide_who_has_left_loses_her_member_to_the_next_code(cast: Cast) -> None:
    services.leave_guide(guide_id=cast.lina.id, actor=STAFF)
    result = _scan(cast.xiaomei.id, _code(cast.wangfang.id))
    assert result.outcome == "bound"
    assert Binding.objects.live().get(member_id=cast.xiaomei.id).guide_id == cast.wangfang.id
    old = Binding.objects.get(member_id=cast.xiaomei.id, guide_id=cast.lina.id)
    assert old.end_reason != ""


def test_a_policy_switched_on_as_data_lets_the_last_scan_win(cast: Cast) -> None:
    BindingPolicy.objects.create(name="先绑定者保留", region=None, protected_days=None)
    BindingPolicy.objects.create(name="华东以最后为准", region_id=cast.east.id, protected_days=0)
    assert _scan(cast.xiaomei.id, _code(cast.chenjing.id), "k1").outcome == "bound"
    # She belongs to the south now, where the first guide keeps her.
    assert _scan(cast.xiaomei.id, _code(cast.lina.id), "k2").outcome == "kept_by_other"


def test_a_store_code_gives_her_to_the_guide_with_fewest_members(cast: Cast) -> None:
    code = _store_code(cast.store.id)
    members = [make_follower(f"会员{number}", openid_of(f"m{number}")).id for number in range(4)]
    got = [_scan(member_id, code, f"k{member_id}").guide for member_id in members]
    names = [guide.name for guide in got if guide is not None]
    # 李娜 has 小美 already; the manager gets nobody while there are guides.
    assert names == ["王芳", "李娜", "王芳", "李娜"]
    assert {binding.source for binding in Binding.objects.filter(member_id__in=members)} == {"store_scan"}


def test_a_manager_gets_members_only_where_there_is_no_guide(cast: Cast) -> None:
    for guide in (cast.lina, cast.wangfang):
        services.leave_guide(guide_id=guide.id, actor=STAFF)
    result = _scan(cast.xiaoli.id, _store_code(cast.store.id))
    assert result.guide is not None
    assert result.guide.id == cast.zhaoqiang.id


def test_the_store_code_of_her_own_guide_keeps_her_guide(cast: Cast) -> None:
    assert _scan(cast.xiaomei.id, _store_code(cast.store.id), "k1").outcome == "already_yours"
    assert _scan(cast.xiaomei.id, _store_code(cast.other_store.id), "k2").outcome == "kept_by_other"


@pytest.mark.django_db(transaction=True)
def test_twenty_scans_of_a_store_code_at_once_spread_evenly(cast: Cast) -> None:
    make_guide("T005", "刘洋", cast.other_store.id)
    code = _store_code(cast.other_store.id)
    members = [make_follower(f"会员{number}", openid_of(f"m{number}")).id for number in range(20)]
    answers = at_once([partial(_scan, member_id, code, f"k{member_id}") for member_id in members])
    assert [getattr(answer, "outcome", answer) for answer in answers] == ["bound"] * 20
    loads = [Binding.objects.live().filter(guide__number=number).count() for number in ("T004", "T005")]
    assert loads == [10, 10]
    assert _counts(code) == (20, 0, 20)


@pytest.mark.django_db(transaction=True)
def test_scans_of_a_guides_and_her_stores_code_do_not_wait_for_each_other(cast: Cast) -> None:
    """One locks guide then (by the binding's foreign key) store, the other store then guide: with FOR UPDATE a
    deadlock, with FOR NO KEY UPDATE the key's share lock passes."""
    scenes = [_code(cast.lina.id), _store_code(cast.lina.store.id)]
    for turn in range(6):
        members = [make_follower(f"会员{turn}-{n}", openid_of(f"m{turn}-{n}")).id for n in range(6)]
        scans = [partial(_scan, member, scenes[n % 2], f"k{member}") for n, member in enumerate(members)]
        answers = at_once(scans)
        assert [getattr(answer, "outcome", answer) for answer in answers] == ["bound"] * 6


@pytest.mark.django_db(transaction=True)
def test_without_the_stores_lock_everybody_picks_the_same_guide(cast: Cast) -> None:
    make_guide("T005", "刘洋", cast.other_store.id)
    looked = threading.Barrier(6)

    def look_then_insert(member_id: int) -> None:
        guides = Guide.objects.filter(store_id=cast.other_store.id).annotate(load=Count("bindings"))
        guide = guides.order_by("load", "pk")[0]
        looked.wait(timeout=30)
        services.bind_member(member_id=member_id, guide_id=guide.pk, source="store_scan", actor=STAFF)

    members = [make_follower(f"会员{number}", openid_of(f"m{number}")).id for number in range(6)]
    assert at_once([partial(look_then_insert, member_id) for member_id in members])
    assert Binding.objects.live().filter(guide_id=cast.chenjing.id).count() == 6


@pytest.mark.django_db(transaction=True)
def test_two_guides_codes_in_the_same_second_make_one_binding(cast: Cast) -> None:
    at = clock.now().replace(microsecond=0)
    scenes = [_code(cast.lina.id), _code(cast.wangfang.id)]
    answers = at_once([partial(_scan, cast.xiaoli.id, scene, f"k{scene}", at=at) for scene in scenes])
    assert sorted(answer.outcome for answer in answers) == ["bound", "kept_by_other"]
    assert Binding.objects.filter(member_id=cast.xiaoli.id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_push_handled_fifty_times_at_once_has_one_effect(cast: Cast) -> None:
    code, openid = _code(cast.lina.id), openid_of("newcomer")
    answers = at_once([lambda: handlers.on_code_scanned(_event(cast, code, openid))] * 50)
    assert answers == [None] * 50
    assert ChannelScan.objects.count() == 1
    assert Binding.objects.filter(guide_id=cast.lina.id).count() == 2
    assert _counts(code) == (1, 1, 1)
    assert [key for key, _openid, _text in _messages()] == ["greet:7"]


def test_a_bound_member_is_greeted_once_with_guide_and_store(cast: Cast) -> None:
    openid = openid_of("newcomer")
    for _delivery in range(2):
        handlers.on_code_scanned(_event(cast, _code(cast.lina.id), openid))
    [(key, receiver, text)] = _messages()
    assert (key, receiver) == ("greet:7", openid)
    assert "李娜" in text
    assert "南京东路店" in text


def test_every_outcome_has_a_friendly_answer(cast: Cast) -> None:
    left = _code(cast.wangfang.id)
    services.leave_guide(guide_id=cast.wangfang.id, actor=STAFF)
    empty = _store_code(make_store("T09", "空店", cast.east.id).id)
    scenes = [_code(cast.lina.id), _code(cast.chenjing.id), "NOBODY", left, empty]
    for number, scene in enumerate(scenes):
        handlers.on_code_scanned(_event(cast, scene, cast.xiaomei_openid, inbound_id=number))
    texts = [text for _key, _openid, text in _messages()]
    assert len(texts) == 5
    # Hers already; kept (also from an empty store); dead codes, which name her guide all the same.
    assert len(set(texts)) == 3
    assert all("李娜" in text for text in texts)
    for number, scene in enumerate(["NOBODY", left, empty], start=10):
        handlers.on_code_scanned(_event(cast, scene, cast.xiaoli_openid, inbound_id=number))
    texts = [text for _key, _openid, text in _messages()]
    assert len(set(texts)) == 5
    assert all("%" not in text and "！" not in text for text in texts)
    assert Binding.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_member_binding_and_greeting_come_together_or_not_at_all(cast: Cast) -> None:
    # No such account: the greeting's foreign key fails at the commit.
    with pytest.raises(IntegrityError):
        handlers.on_code_scanned(_event(cast, _code(cast.lina.id), openid_of("newcomer"), account_id=0))
    assert not ChannelScan.objects.exists()
    assert Binding.objects.count() == 1
    assert _messages() == []


def test_a_scan_binds_at_wechats_time_but_never_in_the_future(cast: Cast) -> None:
    ahead = int(clock.now().timestamp()) + 3600
    handlers.on_code_scanned(_event(cast, _code(cast.lina.id), cast.xiaoli_openid, at=ahead))
    assert Binding.objects.get(member_id=cast.xiaoli.id).bound_at <= clock.now()


def test_no_openid_reaches_the_audit_trail(cast: Cast) -> None:
    openid = openid_of("newcomer")
    handlers.on_code_scanned(_event(cast, _code(cast.lina.id), openid))
    kept = json.dumps(list(AuditEntry.objects.values("details", "actor_label", "action")))
    assert openid not in kept
    assert cast.xiaomei_openid not in kept


def test_a_scene_no_code_can_have_is_recorded_and_answered(cast: Cast) -> None:
    for number, scene in enumerate(["", "x" * 300, "码\0码", "' OR 1=1 --"]):
        handlers.on_code_scanned(_event(cast, scene, cast.xiaoli_openid, inbound_id=number))
    assert set(ChannelScan.objects.values_list("outcome", flat=True)) == {"unknown_code"}
    assert ChannelScan.objects.count() == len(_messages()) == 4


def test_the_event_table_reaches_these_handlers(cast: Cast) -> None:
    events.deliver(_event(cast, _code(cast.lina.id), cast.xiaoli_openid))
    assert Binding.objects.live().filter(member_id=cast.xiaoli.id).exists()
