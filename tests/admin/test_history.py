"""The page 历史 of a row: the whole audit trail in words, page by page, for who may see the row."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core import audit
from members.models import Member, PointsEntry
from tests.cast import DIRECTOR, Cast

pytestmark = pytest.mark.django_db


def url_of(member_id: int) -> str:
    return reverse("admin:members_member_history", args=[member_id])


def test_all_of_it_is_there_page_by_page(desk: Client, cast: Cast) -> None:
    she = Member.objects.get(pk=cast.xiaomei.id)
    before = len(audit.list_entries(subject=she))
    for _number in range(60):
        audit.record(action="members.followed", subject=she, actor=DIRECTOR)
    first = desk.get(url_of(she.pk))
    assert len(first.context["audit_lines"]) == 50
    assert first.context["newer_url"] == ""
    older = desk.get(url_of(she.pk) + first.context["older_url"])
    assert len(older.context["audit_lines"]) == 10 + before
    assert "关注公众号" in older.content.decode()
    assert desk.get(url_of(she.pk), {"p": "x'"}).status_code == 200


def test_a_row_without_a_trail_offers_none(desk: Client, full_chain: Cast) -> None:
    entry = PointsEntry.objects.first()
    assert entry is not None
    page = desk.get(reverse("admin:members_pointsentry_change", args=[entry.pk]))
    history = reverse("admin:members_pointsentry_history", args=[entry.pk])
    assert history not in page.content.decode()
    assert "还没有操作记录" in desk.get(history).content.decode()


def test_another_parts_member_looks_like_none(east_desk: Client, cast: Cast) -> None:
    answers = [east_desk.get(url_of(pk)) for pk in (cast.xiaoli.id, 987_654_321)]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, reverse("admin:index"))}


def test_it_takes_the_right_to_see_the_row(cast: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_store"))
    client = Client()
    client.force_login(cast.regional)
    assert client.get(url_of(cast.xiaomei.id)).status_code in {302, 403}
