"""The merge desk: two members side by side, merged with a choice, parted again; another part stays unseen."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from core import clock
from core.actor import Actor
from guides import services as guide_services
from members import services
from members.models import KnownApart, Member, MemberIdentity, MemberMerge
from tests.cast import Cast, make_follower, openid_of

DESK_URL = "admin:members_merge_desk"
PHONE = "13912345678"


@pytest.fixture
def twin(cast: Cast) -> int:
    """小美 again: she joined at a till, and nobody knew that she follows. 王芳 has her."""
    card = services.register_member(name="林小美", phone=PHONE, source="pos", actor=Actor.system("till"))
    guide_services.bind_member(
        member_id=card.id, guide_id=cast.wangfang.id, source="pos", actor=Actor.system("till")
    )
    return card.id


def test_members_are_found_on_either_side_and_compared(desk: Client, cast: Cast, twin: int) -> None:
    url = reverse(DESK_URL)
    answer = desk.get(url, {"first_q": "小美"})
    found = {card.id for card, _url in answer.context["sides"][0]["found"]}
    assert found == {cast.xiaomei.id, twin}
    row = Member.objects.get(pk=twin)
    for asked in (str(twin), str(row.public_id), str(row.code)):
        answer = desk.get(url, {"first": str(cast.xiaomei.id), "second": asked})
        preview = answer.context["preview"]
        assert (preview.survivor.id, preview.emptier.id) == (twin, cast.xiaomei.id)
    html = answer.content.decode()
    assert "李娜" in html
    assert PHONE not in html
    answer = desk.get(url, {"first": cast.xiaomei.id, "second": twin, "survivor": cast.xiaomei.id})
    assert answer.context["preview"].survivor.id == cast.xiaomei.id


@pytest.mark.parametrize(
    "query",
    [
        {}, {"first": "x" * 300}, {"first": "0"}, {"first": "\0", "second_q": "%"}, {"survivor": "9"},
        {"first": "99999999999999999999"}, {"first_q": "没有这个人"}, {"proposals": "1"},
    ],
)  # fmt: skip
def test_the_desk_opens_whatever_is_asked(desk: Client, cast: Cast, query: dict[str, str]) -> None:
    answer = desk.get(reverse(DESK_URL), query)
    assert (answer.status_code, answer.context["preview"]) == (200, None)


def test_the_same_member_on_both_sides_is_a_sentence_on_the_page(desk: Client, cast: Cast) -> None:
    answer = desk.get(reverse(DESK_URL), {"first": cast.xiaomei.id, "second": cast.xiaomei.id})
    assert (answer.status_code, answer.context["preview"]) == (200, None)
    assert answer.context["refusal"]


def test_two_members_are_merged_with_a_choice_and_parted_again(desk: Client, cast: Cast, twin: int) -> None:
    answer = desk.post(
        reverse(DESK_URL),
        {
            "first": cast.xiaomei.id, "second": twin, "survivor": twin,
            "value_name": cast.xiaomei.id, "reason": "到店核对过",
        },
    )  # fmt: skip
    assert answer.headers["Location"] == reverse("admin:members_member_change", args=[twin])
    record = MemberMerge.objects.get()
    assert (record.survivor_id, record.reason, Member.objects.get(pk=twin).name) == (
        twin,
        "到店核对过",
        "小美",
    )
    panel = desk.get(reverse("admin:members_member_change", args=[twin])).content.decode()
    assert reverse("admin:members_membermerge_change", args=[record.pk]) in panel
    undo_url = reverse("admin:members_membermerge_undo", args=[record.pk])
    assert desk.get(undo_url).status_code == 200
    assert MemberMerge.objects.get().undone_at is None
    answer = desk.post(undo_url, {"_confirmed": "1", "reason": "弄错了"})
    assert answer.status_code == 302
    record.refresh_from_db()
    assert (record.undo_reason, Member.objects.get(pk=twin).name) == ("弄错了", "林小美")
    assert Member.objects.get(pk=cast.xiaomei.id).merged_into_id is None


def test_an_unusable_choice_is_told_and_merges_nothing(desk: Client, cast: Cast, twin: int) -> None:
    for wrong in ({"survivor": cast.xiaoli.id}, {"value_name": cast.xiaoli.id}, {"value_source": twin}):
        data = {"first": cast.xiaomei.id, "second": twin, "reason": "核对过", **wrong}
        answer = desk.post(reverse(DESK_URL), data)
        assert answer.status_code == 200
        assert answer.context["refusal"]
        assert answer.context["reason"] == "核对过"
    assert not MemberMerge.objects.exists()


def test_two_people_are_told_apart(desk: Client, cast: Cast, twin: int) -> None:
    data = {"first": cast.xiaomei.id, "second": twin, "apart": "1"}
    assert desk.post(reverse(DESK_URL), data).status_code == 302
    assert KnownApart.objects.get().second_id == twin
    assert not MemberMerge.objects.exists()


def test_possible_duplicates_are_proposed(desk: Client, cast: Cast, twin: int) -> None:
    other = services.register_member(
        name="林小美", phone="13700005678", source="pos", actor=Actor.system("till")
    )
    assert desk.get(reverse(DESK_URL)).context["pairs"] == []
    pairs = desk.get(reverse(DESK_URL), {"proposals": "1"}).context["pairs"]
    assert [(item["pair"].first.id, item["pair"].second.id) for item in pairs] == [(twin, other.id)]


def test_a_number_that_passed_on_is_shown_to_be_looked_at(desk: Client, cast: Cast) -> None:
    long_ago = clock.now() - dt.timedelta(days=400)
    old, new = (
        services.register_mini_visitor(app_id="wxmini", openid=f"o-{key}", actor=Actor.system("till")).id
        for key in ("old", "new")
    )
    for member_id, at in ((old, long_ago), (new, clock.now())):
        services.verify_phone(
            member_id=member_id, phone="13700005678", how="sms", actor=Actor.system("till"), at=at
        )
    page = desk.get(reverse(DESK_URL))
    assert [(item["pair"].first.id, item["pair"].second.id) for item in page.context["passed"]] == [
        (old, new)
    ]
    assert f"first={old}&amp;second={new}" in page.content.decode()
    assert "手机号换了主人，待核对" in desk.get(reverse("admin:index")).content.decode()
    desk.post(reverse(DESK_URL), {"first": old, "second": new, "apart": "1"})
    assert desk.get(reverse(DESK_URL)).context["passed"] == []
    assert "手机号换了主人，待核对" not in desk.get(reverse("admin:index")).content.decode()
    history = desk.get(reverse("admin:members_member_change", args=[old])).content.decode()
    assert "手机号换了主人" in history


def test_both_must_be_in_the_accounts_part(east_desk: Client, cast: Cast, twin: int) -> None:
    hidden = make_follower("小雅", openid_of("hidden"))
    guide_services.bind_member(
        member_id=hidden.id, guide_id=cast.chenjing.id, source="scan", actor=Actor.system("till")
    )
    url = reverse(DESK_URL)
    for outside in (hidden.id, cast.xiaoli.id, 987_654_321):
        answer = east_desk.get(url, {"first": twin, "second": outside})
        assert answer.context["preview"] is None
        assert answer.context["sides"][1]["is_missing"]
        east_desk.post(url, {"first": twin, "second": outside, "reason": "x"})
        east_desk.post(url, {"first": twin, "second": outside, "apart": "1"})
    assert not MemberMerge.objects.exists()
    assert not KnownApart.objects.exists()
    assert east_desk.get(url, {"second_q": "小雅"}).context["sides"][1]["found"] == []
    east_desk.post(url, {"first": twin, "second": cast.xiaomei.id, "reason": "核对过"})
    assert MemberMerge.objects.count() == 1


def test_another_parts_merge_looks_like_none(east_desk: Client, cast: Cast) -> None:
    south, other = make_follower("小雅", openid_of("south")), make_follower("小雅", openid_of("other"))
    guide_services.bind_member(
        member_id=south.id, guide_id=cast.chenjing.id, source="scan", actor=Actor.system("till")
    )
    services.merge_members(
        first_id=south.id, second_id=other.id, survivor_id=south.id, actor=Actor.system("till")
    )
    record = MemberMerge.objects.get()

    def answer(pk: int) -> tuple[int, str]:
        got = east_desk.post(
            reverse("admin:members_membermerge_undo", args=[pk]), {"_confirmed": "1", "reason": "x"}
        )
        *_before, said = [str(message) for message in get_messages(got.wsgi_request)]
        return got.status_code, said.replace(f"“{pk}”", "“?”")

    assert answer(record.pk) == answer(987_654_321)
    assert MemberMerge.objects.get().undone_at is None


def test_merging_and_unlinking_are_rights_of_their_own(cast: Cast, twin: int) -> None:
    client = Client()
    client.force_login(cast.regional)
    cast.regional.user_permissions.set(
        Permission.objects.filter(codename__in=["view_member", "change_member", "view_membermerge"])
    )
    record = services.merge_members(
        first_id=twin, second_id=make_follower("小美", openid_of("t2")).id, actor=Actor.system("till")
    )
    assert client.get(reverse(DESK_URL)).status_code == 403
    assert client.post(reverse(DESK_URL), {"first": twin, "second": cast.xiaomei.id}).status_code == 403
    merge = MemberMerge.objects.get(survivor_id=record.id)
    assert client.get(reverse("admin:members_membermerge_change", args=[merge.pk])).status_code == 200
    for name, pk in (
        ("members_membermerge_undo", merge.pk), ("members_member_unlink", twin), ("members_member_merge", twin),
    ):  # fmt: skip
        assert client.post(reverse(f"admin:{name}", args=[pk]), {"_confirmed": "1"}).status_code == 403
    assert MemberMerge.objects.get().undone_at is None


def test_a_wrong_phone_is_taken_from_her(desk: Client, cast: Cast, twin: int) -> None:
    url = reverse("admin:members_member_unlink", args=[twin])
    identity = MemberIdentity.objects.get(member_id=twin)
    assert PHONE not in desk.get(url).content.decode()
    foreign = MemberIdentity.objects.filter(member_id=cast.xiaomei.id).values_list("pk", flat=True).first()
    for wrong in ({"identity": foreign, "reason": "mistyped"}, {"identity": identity.pk, "reason": "no"}, {}):
        assert desk.post(url, {"_confirmed": "1", **wrong}).status_code == 200
    assert MemberIdentity.objects.filter(member_id=twin).exists()
    answer = desk.post(url, {"_confirmed": "1", "identity": identity.pk, "reason": "mistyped"})
    assert answer.status_code == 302
    assert Member.objects.get(pk=twin).phone == ""


def test_the_list_says_what_can_still_be_undone(desk: Client, cast: Cast, twin: int) -> None:
    services.merge_members(first_id=twin, second_id=cast.xiaomei.id, actor=Actor.system("till"))
    url = reverse("admin:members_membermerge_changelist")
    for state, count in (("open", 1), ("final", 0), ("undone", 0)):
        assert len(desk.get(url, {"state": state}).context["cl"].result_list) == count
    record = MemberMerge.objects.get()
    record.undo_until = clock.now()
    record.save(update_fields=["undo_until"])
    for state, count in (("open", 0), ("final", 1)):
        assert len(desk.get(url, {"state": state}).context["cl"].result_list) == count
    answer = desk.post(
        reverse("admin:members_membermerge_undo", args=[record.pk]), {"_confirmed": "1", "reason": "x"}
    )
    assert answer.status_code == 200
    assert answer.context["form"].errors
