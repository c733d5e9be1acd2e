"""Members with a phone: registered, found, shown masked; merged when two rows are one person."""

import datetime as dt

import pytest
from django.db import connection

from core import phones
from core.actor import Actor
from core.errors import Refusal
from core.models import AuditEntry
from members import selectors, services
from members.contracts import MemberImport
from members.models import Member, MemberIdentity
from tests.threads import at_once

STAFF = Actor.staff(1, "总部")
PHONE = "13812345678"


def _register(name: str = "欧阳小美", phone: str = PHONE, at: dt.datetime | None = None) -> int:
    return services.register_member(name=name, phone=phone, source="pos", actor=STAFF, at=at).id


@pytest.mark.django_db
def test_a_phone_is_sealed_masked_and_found_whole_or_by_its_tail() -> None:
    member_id = _register(phone="+86 138-1234-5678")
    card = selectors.get_member_card(member_id)
    assert (card.stage, card.masked_phone) == ("member", "138 **** 5678")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM members_member m")
        stored = cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(i)::text FROM members_memberidentity i")
        stored += cursor.fetchone()[0]
        cursor.execute("SELECT row_to_json(a)::text FROM core_auditentry a")
        stored += "".join(row[0] for row in cursor.fetchall())
    assert PHONE not in stored
    assert selectors.find_member_id("phone", "", "138 1234 5678") == member_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    ["小美", "欧阳", "ouyangxiaomei", "Ou Yang", "oyxm", "5678", "138 1234 5678", "+8613812345678", " 小美 "],
)
def test_what_a_guide_types_finds_her(query: str) -> None:
    member_id = _register()
    _register(name="赵强", phone="13900009999")
    assert list(selectors.search_member_ids(query)) == [member_id]


@pytest.mark.django_db
def test_her_code_or_its_end_finds_her() -> None:
    member_id = _register()
    code = selectors.get_member_card(member_id).code
    for query in (code, code.lower(), code[-4:], f"{code[:4]}-{code[4:8]} {code[8:]}"):
        assert list(selectors.search_member_ids(query)) == [member_id]


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["%", "_", "不存在", "13800000000", "567", "小\0丽", "a" * 500])
def test_wild_cards_and_strangers_find_nobody(query: str) -> None:
    _register()
    assert list(selectors.search_member_ids(query)) == []


@pytest.mark.django_db
def test_an_empty_query_is_everyone_living() -> None:
    one, other = _register(), _register(name="小丽", phone="13900000001")
    assert set(selectors.search_member_ids("  ")) == {one, other} == set(selectors.living_member_ids())


@pytest.mark.django_db(transaction=True)
def test_two_tills_registering_one_phone_at_once_make_one_member() -> None:
    answers = at_once([_register] * 10)
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refusals) == 9
    assert {refusal.code for refusal in refusals} == {"members.phone_already_registered"}
    assert all(PHONE not in f"{refusal!r} {refusal.details}" for refusal in refusals)
    assert Member.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "phone", ["", "1381234567", "138123456789", "12812345678", "phone", "138１２３４56７"]
)
def test_what_is_no_mobile_number_is_refused(phone: str) -> None:
    with pytest.raises(Refusal) as refusal:
        _register(phone=phone)
    assert refusal.value.code == "members.phone_unusable"


def test_full_width_digits_are_digits() -> None:
    assert phones.digits_of("１３８ 1234 5678") == PHONE


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "   ", "字" * 61, "\u200b"])
def test_an_unusable_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        services.rename_member(member_id=_register(), name=name, actor=STAFF)
    assert refusal.value.code == "members.name_unusable"


@pytest.mark.django_db
def test_renaming_is_on_record_once_and_moves_the_pinyin() -> None:
    member_id = _register()
    for _time in range(2):
        services.rename_member(member_id=member_id, name="小丽", actor=STAFF)
    assert list(selectors.search_member_ids("xiaoli")) == [member_id]
    assert list(selectors.search_member_ids("xiaomei")) == []
    assert AuditEntry.objects.filter(action="members.renamed").count() == 1


@pytest.mark.django_db
def test_merging_keeps_the_fuller_row_and_fills_its_blanks() -> None:
    day = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    full = _register(at=day)
    follower = services.register_follower(
        app_id="wxaaaaaaaaaaaaaaaa",
        openid="oFOLLOWER000000000000000001a",
        actor=Actor.wechat(),
        at=day - dt.timedelta(days=9),
    )
    merged = services.merge_members(first_id=follower.id, second_id=full, actor=STAFF)
    assert merged.id == full
    assert merged.is_following
    assert selectors.list_merge_targets([follower.id, full, 0]) == {follower.id: full, full: full}
    assert MemberIdentity.objects.exclude(member_id=full).count() == 0
    assert list(selectors.living_member_ids()) == [full]
    with pytest.raises(Refusal) as refusal:
        services.merge_members(first_id=follower.id, second_id=full, actor=STAFF)
    assert refusal.value.code == "members.cannot_merge_with_herself"


@pytest.mark.django_db
def test_an_import_is_all_or_nothing() -> None:
    _register()
    day = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    lines = [
        MemberImport(registered_at=day, source="import", name="小丽", phone="13900000001"),
        MemberImport(registered_at=day, source="import", name="小美", phone=PHONE),
    ]
    with pytest.raises(Refusal) as refusal:
        services.import_members(lines=lines, app_id="wxaaaaaaaaaaaaaaaa", actor=STAFF)
    assert refusal.value.code == "members.identity_taken"
    assert Member.objects.count() == 1


@pytest.mark.django_db
def test_an_imported_member_is_like_a_registered_one() -> None:
    day = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    line = MemberImport(
        registered_at=day,
        source="import",
        name="小丽",
        phone="13900000001",
        openid="oIMPORTED0000000000000000001",
        is_following=True,
    )
    [member_id] = services.import_members(lines=[line], app_id="wxaaaaaaaaaaaaaaaa", actor=STAFF)
    assert list(selectors.search_member_ids("xl")) == [member_id]
    assert selectors.find_member_id("phone", "", "13900000001") == member_id
    card = services.register_follower(
        app_id="wxaaaaaaaaaaaaaaaa", openid="oIMPORTED0000000000000000001", actor=Actor.wechat()
    )
    assert card.id == member_id
