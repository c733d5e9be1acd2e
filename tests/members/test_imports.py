"""Importing members from a file: who is made, who is matched, what is filled, and that twice is once."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import AuditEntry
from members import selectors, services
from members.models import (
    ImportCandidate,
    ImportProblem,
    ImportRow,
    Member,
    MemberAddress,
    MemberIdentity,
    MemberTag,
    PointsAccount,
    PointsEntry,
    PointsLot,
    Tag,
)
from members.services.import_columns import suggest_mapping
from tests.members.import_kit import (
    HEADINGS,
    STAFF,
    check,
    counts,
    expected,
    people,
    person,
    phone,
    run,
    take_over,
    text_of,
    upload,
)

pytestmark = pytest.mark.django_db


def member_of(number: int) -> Member:
    found = selectors.find_member_id("phone", "", phone(number))
    assert found is not None
    return Member.objects.get(pk=found)


def test_a_file_makes_members_as_registration_makes_them() -> None:
    job = take_over([person(1, 姓名="王可欣"), person(2, 手机号="", 生日="")])
    assert (job.state, job.total_count, job.done_count, job.bad_count) == ("finished", 2, 2, 0)
    assert (expected(job).created, counts(job).created) == (2, 2)
    member = member_of(1)
    assert (member.name, member.stage, member.source, member.gender) == (
        "王可欣",
        "member",
        "import",
        "female",
    )
    assert (member.phone, member.phone_tail) == (phone(1), "0001")
    assert member.registered_at == dt.datetime(2020, 3, 1, 2, tzinfo=dt.UTC)
    assert list(selectors.search_member_ids("kexin")) == [member.pk]
    assert selectors.find_member_id("pos_card", "", "C000001") == member.pk
    prospect = Member.objects.get(identities__value="C000002")
    assert (prospect.stage, prospect.phone) == ("prospect", "")
    assert AuditEntry.objects.filter(action="members.imported", subject_id=member.pk).count() == 1
    assert not ImportRow.objects.exists()


def test_the_same_file_a_second_time_changes_nothing() -> None:
    headings = (*HEADINGS, "积分", "标签", "地址")
    lines = [[*person(n), 100 + n, "敏感肌、油皮", "上海市徐汇区虹漕路46号"] for n in range(5)]
    take_over(lines, headings, tag_group="肤质")
    before = [
        list(model.objects.order_by("pk").values()) for model in (Member, MemberIdentity, MemberAddress)
    ]
    state = (MemberTag.objects.count(), PointsEntry.objects.count(), AuditEntry.objects.count())
    again = take_over(reversed(lines), headings, tag_group="肤质", newer_wins=True)
    assert (expected(again).unchanged, counts(again).unchanged, counts(again).filled) == (5, 5, 0)
    assert before == [
        list(model.objects.order_by("pk").values()) for model in (Member, MemberIdentity, MemberAddress)
    ]
    own = AuditEntry.objects.filter(subject_kind="members.importjob", subject_id=again.pk).count()
    assert state == (
        MemberTag.objects.count(), PointsEntry.objects.count(), AuditEntry.objects.count() - own,
    )  # fmt: skip


def test_blanks_are_filled_and_filled_values_stay() -> None:
    services.register_member(name="王芳", phone=phone(1), source="pos", actor=STAFF)
    job = take_over([person(1, 姓名="李四", 生日="1990-05-01")])
    assert (expected(job).filled, counts(job).filled) == (1, 1)
    member = member_of(1)
    assert (member.name, member.gender, member.birthday) == ("王芳", "female", dt.date(1990, 5, 1))
    assert selectors.find_member_id("pos_card", "", "C000001") == member.pk
    filled = AuditEntry.objects.get(action="members.import_filled")
    assert filled.details == {"fields": ["birthday", "gender"]}


def test_a_newer_file_overwrites_but_never_a_phone() -> None:
    services.register_member(name="王芳", phone=phone(1), source="pos", actor=STAFF)
    take_over([person(1, 姓名="李小四")], newer_wins=True)
    assert member_of(1).name == "李小四"
    assert list(selectors.search_member_ids("lixiaosi")) == [member_of(1).pk]
    job = take_over([person(1, 手机号=phone(9))], newer_wins=True)
    assert counts(job).candidates == 1
    assert (member_of(1).phone, selectors.find_member_id("phone", "", phone(9))) == (phone(1), None)


def test_rows_of_one_person_make_one_member() -> None:
    job = take_over(
        [
            person(1, 姓名="", 生日=""),
            person(1, 会员卡号="C9", 生日="1990-05-01"),
            person(2, 手机号="", 会员卡号="C9", 姓名="王小美"),
        ]
    )
    assert (counts(job).created, counts(job).repeated) == (1, 2)
    member = member_of(1)
    assert (member.birthday, Member.objects.count()) == (dt.date(1990, 5, 1), 1)
    assert {identity.value for identity in MemberIdentity.objects.filter(kind="pos_card")} == {
        "C000001",
        "C9",
    }


def test_a_prospect_with_the_unionid_of_a_row_becomes_a_member() -> None:
    services.register_follower(app_id="wxcast00000000001", openid="oA000001", unionid="uA000001", actor=STAFF)
    job = take_over([[phone(1), "uA000001"]], ("手机", "unionid"))
    assert counts(job).filled == 1
    member = member_of(1)
    assert (member.stage, member.phone, Member.objects.count()) == ("member", phone(1), 1)


def test_tags_are_made_in_their_group_and_given_once() -> None:
    group = services.create_tag_group(name="肤质", is_exclusive=True, actor=STAFF)
    kept = services.create_tag(group_id=group.id, name="干皮", actor=STAFF)
    member = services.register_member(name="王芳", phone=phone(1), source="pos", actor=STAFF)
    services.tag_members(member_ids=[member.id], tag_id=kept.id, actor=STAFF)
    take_over([[phone(1), "油皮"], [phone(2), "油皮，干皮"]], ("手机号", "标签"), tag_group="肤质")
    assert Tag.objects.get(name="油皮").origin == "import"
    live = MemberTag.objects.filter(removed_at__isnull=True)
    assert [row.tag.name for row in live.filter(member_id=member.id)] == ["干皮"]
    assert live.filter(member=member_of(2)).count() == 1
    take_over([[phone(1), "油皮"]], ("手机号", "标签"), tag_group="肤质", newer_wins=True)
    assert [row.tag.name for row in live.filter(member_id=member.id)] == ["油皮"]


def test_signs_that_mean_something_to_copy_and_to_arrays_stay_in_a_tag() -> None:
    words = ["a\\b", 'c"d', "{e}", "\\N", "\\"]
    take_over(
        [[phone(1), '"' + "，".join(words).replace('"', '""') + '"']], ("手机号", "标签"), tag_group="旧系统"
    )
    assert set(Tag.objects.values_list("name", flat=True)) == set(words)


def test_opening_points_are_credited_once_for_each_card() -> None:
    headings = ("手机号", "卡号", "积分")
    take_over([[phone(1), "A1", 100], [phone(1), "A2", "50"], [phone(2), "A3", 0]], headings)
    take_over([[phone(1), "A1", 999]], headings)
    account = PointsAccount.objects.get(member=member_of(1))
    assert account.balance == 150
    assert sorted(PointsLot.objects.values_list("remaining", flat=True)) == [50, 100]
    assert list(PointsEntry.objects.order_by("pk").values_list("balance_after", flat=True)) == [100, 150]
    assert (
        services.debit_points(member_id=account.member_id, points=150, source_key="s1", actor=STAFF).balance
        == 0
    )


def test_opening_points_pay_a_debt_first() -> None:
    member = services.register_member(name="王芳", phone=phone(1), source="pos", actor=STAFF)
    services.credit_points(member_id=member.id, points=10, source_key="s1", actor=STAFF)
    PointsAccount.objects.update(balance=-30, debt_allowed=30)
    PointsLot.objects.update(remaining=0)
    take_over([[phone(1), 100]], ("手机号", "积分"))
    assert PointsAccount.objects.get().balance == 70
    assert PointsLot.objects.order_by("-pk")[0].remaining == 70


def test_an_address_is_split_into_its_place() -> None:
    lines = [[phone(1), "江苏省苏州市昆山市前进路1号"], [phone(2), "前进路"]]
    take_over(lines, ("手机号", "地址"))
    home = MemberAddress.objects.get(member=member_of(1))
    assert (home.province, home.city, home.district) == ("江苏省", "苏州市", "昆山市")
    assert home.street == "前进路1号"
    assert MemberAddress.objects.get(member=member_of(2)).province == ""
    take_over([[phone(1), "上海市徐汇区漕溪路2号"]], ("手机号", "地址"))
    home.refresh_from_db()
    assert home.city == "苏州市"
    take_over([[phone(1), "上海市徐汇区漕溪路2号"]], ("手机号", "地址"), newer_wins=True)
    home.refresh_from_db()
    assert (home.city, home.street) == ("上海市", "漕溪路2号")


def test_bad_lines_stay_out_and_say_why() -> None:
    job = take_over([person(1), person(2, 手机号="021-63220118", 生日="农历五月初一"), person(3)])
    assert (counts(job).created, job.bad_count) == (2, 1)
    problem = ImportProblem.objects.get()
    assert (problem.line, problem.reasons) == (3, ["phone:phone_landline", "birthday:date_lunar"])


def test_a_row_without_any_identity_is_bad() -> None:
    job = check(upload(text_of([person(1, 手机号="", 会员卡号="无")])))
    assert (job.bad_count, job.total_count) == (1, 0)
    assert ImportProblem.objects.get().reasons == ["row:no_identity"]


def test_the_mapping_is_remembered_for_the_same_headings() -> None:
    headings = ("手机号", "姓名", "号码")
    job_id = upload(text_of([[phone(1), "王芳", "A1"]], headings))
    services.map_import(job_id=job_id, mapping={"columns": {"0": "phone", "2": "card"}}, actor=STAFF)
    again = upload(text_of([[phone(2), "王芳", "A2"]], (" 手机号 ", "姓名", "号码")))
    from members.models import ImportJob

    assert ImportJob.objects.get(pk=again).mapping["columns"] == {"0": "phone", "2": "card"}


@pytest.mark.parametrize(
    ("headings", "read_as"),
    [
        (("手机号", "地址"), ["phone", "address"]),
        (("手机号", "省", "市", "区", "地址"), ["phone", "province", "city", "district", "street"]),
        (("手机号", "地址", "城市", "详细地址"), ["phone", "", "city", "street"]),
    ],
)
def test_an_address_beside_its_places_is_read_as_the_street(
    headings: tuple[str, ...], read_as: list[str]
) -> None:
    columns = suggest_mapping(headings)["columns"]
    assert [columns.get(str(place), "") for place in range(len(headings))] == read_as


def test_a_dry_run_writes_no_member() -> None:
    job = check(upload(text_of([*people(3), person(1)])))
    assert (job.state, expected(job).created, expected(job).repeated) == ("checked", 3, 1)
    assert not Member.objects.exists()


def test_ten_thousand_rows_take_a_bounded_number_of_statements() -> None:
    def cost(count: int, start: int) -> int:
        job = check(upload(text_of(people(count, start))))
        services.start_import(job_id=job.pk, actor=STAFF)
        with CaptureQueriesContext(connection) as queries:
            services.work_import(job.pk)
        return len(queries)

    cost(10, 0)  # the first of all finds nobody to liken its rows to
    few = cost(10, 50)
    assert cost(10_000, 100) <= few
    assert few < 64
    assert Member.objects.count() == 10_020
    assert run_again_finds_all()


def run_again_finds_all() -> bool:
    job = run(check(upload(text_of(people(10_000, 100)))).pk)
    return counts(job).unchanged == 10_000 and not ImportCandidate.objects.exists()
