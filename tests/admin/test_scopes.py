"""A regional account sees its part of the chain, and another part looks exactly like nothing."""

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core.actor import Actor
from guides import services
from guides.models import Binding, ChannelCode, Guide, StaffScope, Store
from tests.cast import Cast

UNKNOWN = 987_654_321


@pytest.fixture
def south(cast: Cast) -> dict[str, int]:
    """One row of each table that belongs to the southern region."""
    services.bind_member(
        member_id=cast.xiaoli.id, guide_id=cast.chenjing.id, source="scan", actor=Actor.system("test")
    )
    return {
        "guides_store": cast.other_store.id,
        "guides_guide": cast.chenjing.id,
        "guides_binding": Binding.objects.get(guide_id=cast.chenjing.id).pk,
        "guides_channelcode": ChannelCode.objects.get(guide_id=cast.chenjing.id).pk,
        "members_member": cast.xiaoli.id,
    }


PAGES = ("guides_store", "guides_guide", "guides_binding", "guides_channelcode", "members_member")


@pytest.mark.parametrize("page", PAGES)
def test_lists_hold_the_own_part_only(
    east_desk: Client, cast: Cast, south: dict[str, int], page: str
) -> None:
    rows = east_desk.get(reverse(f"admin:{page}_changelist")).context["cl"].result_list
    assert rows
    assert south[page] not in {row.pk for row in rows}


@pytest.mark.parametrize("page", PAGES)
def test_another_parts_row_answers_as_an_unknown_id(
    east_desk: Client, cast: Cast, south: dict[str, int], page: str
) -> None:
    def answer(pk: int) -> tuple[int, str, str]:
        got = east_desk.get(reverse(f"admin:{page}_change", args=[pk]))
        *_before, told = [str(message) for message in get_messages(got.wsgi_request)]
        return got.status_code, got.headers.get("Location", ""), told.replace(f"“{pk}”", "“?”")

    assert answer(south[page]) == answer(UNKNOWN)


@pytest.mark.parametrize(
    ("action", "page"),
    [
        ("guides_guide_move", "guides_guide"), ("guides_guide_leave", "guides_guide"),
        ("guides_guide_issue_code", "guides_guide"), ("guides_store_close", "guides_store"),
        ("guides_binding_unbind_one", "guides_binding"), ("guides_channelcode_close", "guides_channelcode"),
        ("members_member_correct", "members_member"), ("guides_channelcode_qr", "guides_channelcode"),
    ],
)  # fmt: skip
def test_buttons_do_not_reach_another_part(
    east_desk: Client, cast: Cast, south: dict[str, int], action: str, page: str
) -> None:
    url = reverse(f"admin:{action}", args=[south[page]])
    answer = east_desk.post(url, {"_confirmed": "1", "reason": "试试", "name": "试试"})
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))
    assert Guide.objects.get(pk=cast.chenjing.id).state == "active"
    assert Binding.objects.get(pk=south["guides_binding"]).ended_at is None


def test_a_bulk_action_on_a_foreign_row_touches_nothing(
    east_desk: Client, cast: Cast, south: dict[str, int]
) -> None:
    east_desk.post(
        reverse("admin:guides_binding_changelist"),
        {
            "action": "unbind_selected",
            "_selected_action": [south["guides_binding"]],
            "_confirmed": "1",
            "reason": "x",
        },
    )
    assert Binding.objects.get(pk=south["guides_binding"]).ended_at is None


def test_choices_by_typing_stay_in_the_own_part(east_desk: Client, cast: Cast, south: dict[str, int]) -> None:
    url = reverse("admin:autocomplete")
    for field, term in (("store", ""), ("store", "天河")):
        got = east_desk.get(
            url, {"app_label": "guides", "model_name": "guide", "field_name": field, "term": term}
        )
        assert str(cast.other_store.id) not in {row["id"] for row in got.json()["results"]}


def test_a_hand_made_post_cannot_move_a_guide_into_another_part(east_desk: Client, cast: Cast) -> None:
    url = reverse("admin:guides_guide_move", args=[cast.lina.id])
    answer = east_desk.post(url, {"_confirmed": "1", "store": cast.other_store.id, "role": "guide"})
    assert answer.status_code == 200
    assert "store" in answer.context["form"].errors
    assert Guide.objects.get(pk=cast.lina.id).store_id == cast.store.id


def test_a_filter_on_a_foreign_row_does_not_name_it(
    east_desk: Client, cast: Cast, south: dict[str, int]
) -> None:
    url = reverse("admin:guides_guide_changelist")
    html = east_desk.get(url, {"store__id__exact": cast.other_store.id}).content.decode()
    assert "天河路店" not in html


def test_a_store_cannot_be_added_or_moved_out_of_sight(east_desk: Client, cast: Cast) -> None:
    fields = {"code": "T09", "name": "新店", "region": cast.south.id, "address": "", "phone": ""}
    answer = east_desk.post(reverse("admin:guides_store_add"), fields)
    assert answer.status_code == 200
    assert not Store.objects.filter(code="T09").exists()
    answer = east_desk.post(
        reverse("admin:guides_store_change", args=[cast.store.id]), fields | {"name": "南京东路店"}
    )
    assert answer.status_code == 200
    assert Store.objects.get(pk=cast.store.id).region_id == cast.east.id


def test_an_account_without_a_part_sees_nothing(east_desk: Client, cast: Cast) -> None:
    StaffScope.objects.all().delete()
    for page in PAGES:
        assert not east_desk.get(reverse(f"admin:{page}_changelist")).context["cl"].result_list


def test_an_account_without_rights_is_turned_away(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.regional)
    for page in (*PAGES, "wechat_inboundevent", "wechat_account", "core_auditentry", "core_staffaccount"):
        assert client.get(reverse(f"admin:{page}_changelist")).status_code == 403
    assert client.get(reverse("admin:wechat_quota")).status_code == 403
    assert client.get(reverse("admin:wechat_reply_tester")).status_code == 403


def test_nobody_raises_her_own_rights(cast: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(content_type__app_label="core"))
    client = Client()
    client.force_login(cast.regional)
    url = reverse("admin:core_staffaccount_change", args=[cast.regional.pk])
    client.post(url, {"username": "cast-east", "is_superuser": "on", "is_active": "on", "is_staff": "on"})
    cast.regional.refresh_from_db()
    assert not cast.regional.is_superuser
    head = reverse("admin:core_staffaccount_change", args=[cast.head_office.pk])
    assert client.post(head, {"username": "taken-over"}).status_code == 403
