"""The button 修改资料: what staff see, what is written, what is told, and who may."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core.actor import Actor
from core.models import AuditEntry
from members import selectors, services
from members.models import Member
from tests.cast import DIRECTOR, Cast

pytestmark = pytest.mark.django_db

STREET = "南京西路 1038 号 7 楼"


def url_of(member_id: int) -> str:
    return reverse("admin:members_member_correct", args=[member_id])


def send(desk: Client, member_id: int, **values: Any) -> Any:
    """The page is opened and sent with these fields changed."""
    form = desk.get(url_of(member_id)).context["form"]
    shown = {name: form.initial.get(name, "") for name in form.fields}
    carried = {f"initial-{name}": shown[name] for name in ("name", "gender", "birthday")}
    return desk.post(url_of(member_id), {"_confirmed": "1", **shown, **carried, **values})


def told(answer: Any) -> str:
    return "".join(str(message) for message in get_messages(answer.wsgi_request))


def test_staff_put_it_right_and_she_is_found_by_pinyin(desk: Client, cast: Cast) -> None:
    she = cast.xiaomei.id
    answer = send(
        desk, she, name="周小美", gender="female", birthday="1990年5月1日", address=f"上海静安区{STREET}"
    )
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("admin:members_member_change", args=[she]),
    )
    assert "上海市 静安区" in told(answer)
    assert STREET not in told(answer)
    row = Member.objects.get(pk=she)
    assert (row.name, row.gender, row.birthday) == ("周小美", "female", dt.date(1990, 5, 1))
    assert selectors.get_address(she).street == STREET
    found = desk.get(reverse("admin:members_member_changelist"), {"q": "zxm"}).context["cl"].result_list
    assert [member.pk for member in found] == [she]


def test_the_history_names_the_fields_and_no_page_tells_the_street(desk: Client, cast: Cast) -> None:
    she = cast.xiaomei.id
    send(desk, she, birthday="1990-05-01", address=f"上海静安区{STREET}")
    entry = AuditEntry.objects.get(action="members.profile_corrected")
    assert (entry.details, entry.actor_id) == ({"fields": ["birthday", "address"]}, cast.head_office.pk)
    page = desk.get(reverse("admin:members_member_change", args=[she])).content.decode()
    assert "改动 生日、地址" in page
    assert "上海市 静安区（详细地址已填，不显示）" in page
    for shown in (page, desk.get(url_of(she)).content.decode()):
        assert STREET not in shown


def test_an_address_is_deleted_or_replaced_but_not_both(desk: Client, cast: Cast) -> None:
    she = cast.xiaomei.id
    assert "forgets_address" not in desk.get(url_of(she)).context["form"].fields
    send(desk, she, address="上海静安区一号")
    both = send(desk, she, address="上海静安区二号", forgets_address="on")
    assert "address" in both.context["form"].errors
    assert selectors.get_address(she).street == "一号"
    send(desk, she, forgets_address="on")
    assert selectors.get_address(she).changed_at is None


def test_what_cannot_be_read_is_said_at_its_field(desk: Client, cast: Cast) -> None:
    she = cast.xiaomei.id
    for field, text in (("birthday", "90-5-1"), ("address", "南京西路一号"), ("name", "12345")):
        answer = send(desk, she, **{field: text})
        assert list(answer.context["form"].errors) == [field]
        assert answer.context["form"][field].value() == text
    assert not AuditEntry.objects.filter(action="members.profile_corrected").exists()


def test_what_she_changed_meanwhile_is_not_undone(desk: Client, cast: Cast) -> None:
    she = cast.xiaomei.id
    opened = desk.get(url_of(she)).context["form"].initial
    services.change_profile(
        member_id=she, name="小美美", birthday=dt.date(1991, 1, 1), actor=Actor.member(she)
    )
    stale = {**opened, **{f"initial-{name}": value for name, value in opened.items()}}
    desk.post(url_of(she), {"_confirmed": "1", **stale, "gender": "female", "address": ""})
    row = Member.objects.get(pk=she)
    assert (row.name, row.birthday, row.gender) == ("小美美", dt.date(1991, 1, 1), "female")


def test_nothing_changed_is_said_so(desk: Client, cast: Cast) -> None:
    assert told(send(desk, cast.xiaomei.id)) == "没有改动"


def test_it_takes_the_right_to_change_members(cast: Cast) -> None:
    client = Client()
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_member"))
    client.force_login(cast.regional)
    answer = client.post(url_of(cast.xiaomei.id), {"_confirmed": "1", "name": "周小美"})
    assert answer.status_code in {302, 403}
    assert Member.objects.get(pk=cast.xiaomei.id).name != "周小美"


def test_another_parts_member_and_an_erased_one_look_like_none(
    east_desk: Client, desk: Client, cast: Cast
) -> None:
    def answer(client: Client, pk: int) -> tuple[int, str]:
        got = client.post(url_of(pk), {"_confirmed": "1", "name": "周小美"})
        return got.status_code, got.get("Location", "")

    assert answer(east_desk, cast.xiaoli.id) == answer(east_desk, 987_654_321)
    services.erase_member(member_id=cast.xiaomei.id, reason="staff", actor=DIRECTOR)
    assert answer(desk, cast.xiaomei.id) == answer(desk, 987_654_321)
    assert not AuditEntry.objects.filter(action="members.profile_corrected").exists()
