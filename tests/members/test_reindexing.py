"""A new index key: everybody is found at every step, one phone stays one member, and the old key may go."""

import functools
import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from core import crypto
from core.actor import Actor
from guides import services as guide_services
from guides.selectors.notes import remarked_member_ids
from members import selectors, services
from members.contracts import MemberImport
from members.errors import IdentityTaken, PhoneAlreadyRegistered
from members.models import Member, MemberIdentity
from tests.cast import DIRECTOR, Cast
from tests.threads import at_once

OLD, NEW = crypto.new_key(), crypto.new_key()
PHONE = "13912345678"


@pytest.fixture
def rotating(settings: Any, transactional_db: None) -> Any:
    """A member whose fingerprints are under the old key; the new one stands in front now."""
    settings.INDEX_KEYS = [OLD]
    services.register_member(name="欧阳慕雪", phone=PHONE, source="pos", actor=DIRECTOR)
    settings.INDEX_KEYS = [NEW, OLD]
    return settings


def found() -> list[int | None]:
    """Whoever is found by the whole number, the number typed into a search, and the name."""
    return [
        selectors.find_member_id("phone", "", PHONE),
        *selectors.search_member_ids(PHONE),
        *selectors.search_member_ids("慕雪"),
        *selectors.search_member_ids("oymx"),
    ]


def test_she_is_found_before_during_and_after(rotating: Any) -> None:
    she = Member.objects.get().pk
    assert found() == [she] * 4
    assert services.count_older_phones() == 1
    run = services.reindex_phones()
    assert (run.done_count, run.stuck_count, run.is_finished) == (1, 0, True)
    assert services.reindex_names().done_count == 1
    assert found() == [she] * 4
    assert services.count_older_phones() == 0
    rotating.INDEX_KEYS = [NEW]
    assert found() == [she] * 4
    assert (services.reindex_phones().done_count, services.reindex_names().done_count) == (0, 0)


def test_without_the_old_key_and_without_the_work_nobody_is_found(rotating: Any) -> None:
    rotating.INDEX_KEYS = [NEW]
    assert found() == [None]


def test_one_phone_stays_one_member_while_two_keys_are_in_use(rotating: Any) -> None:
    with pytest.raises(PhoneAlreadyRegistered):
        services.register_member(name="慕雪", phone=PHONE, source="pos", actor=DIRECTOR)
    line = MemberImport(registered_at=Member.objects.get().registered_at, source="import", phone=PHONE)
    with pytest.raises(IdentityTaken):
        services.import_members(lines=[line], app_id="wx", actor=DIRECTOR)
    assert Member.objects.count() == 1


@pytest.mark.parametrize("has_guard", [True, False])
def test_servers_with_the_keys_in_either_order_make_one_member(
    rotating: Any, monkeypatch: pytest.MonkeyPatch, has_guard: bool
) -> None:
    """While the servers are restarted one by one, some write under the old key and some under the new one."""
    from members.services import people

    if not has_guard:
        monkeypatch.setattr(people, "claim_phones", lambda numbers: None)
    real = crypto.blind_indexes

    def register(is_new: bool, number: str) -> Any:
        local.is_new = is_new
        return services.register_member(name="小雅", phone=number, source="pos", actor=DIRECTOR)

    def indexes(value: str, *, context: str) -> list[str]:
        all_of_them = real(value, context=context)
        return all_of_them if getattr(local, "is_new", True) else all_of_them[::-1]

    local = threading.local()
    monkeypatch.setattr(crypto, "blind_indexes", indexes)
    monkeypatch.setattr(crypto, "blind_index", lambda value, *, context: indexes(value, context=context)[0])
    doubled = 0
    for number in (f"1380013{n:04d}" for n in range(5)):
        answers = at_once([functools.partial(register, n % 2 == 0, number) for n in range(8)])
        made = [answer for answer in answers if not isinstance(answer, Exception)]
        assert all(isinstance(a, PhoneAlreadyRegistered) for a in answers if isinstance(a, Exception))
        doubled += len(made) > 1
    assert (doubled == 0) if has_guard else (doubled > 0)


def test_writers_beside_the_work_lose_nothing(rotating: Any) -> None:
    numbers = [f"1370013{n:04d}" for n in range(20)]
    calls: list[Any] = [
        lambda number=number: services.register_member(
            name="小雅", phone=number, source="pos", actor=DIRECTOR
        )
        for number in numbers
    ]
    answers = at_once([*calls, services.reindex_phones, services.reindex_phones])
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert services.reindex_phones().stuck_count == 0
    rotating.INDEX_KEYS = [NEW]
    assert all(selectors.find_member_id("phone", "", number) for number in (*numbers, PHONE))


def test_the_phone_of_a_merged_row_is_made_anew_as_well(rotating: Any) -> None:
    rotating.INDEX_KEYS = [OLD]
    other = services.register_member(name="小雅", phone="13800138000", source="pos", actor=DIRECTOR)
    services.merge_members(first_id=Member.objects.order_by("pk")[0].pk, second_id=other.id, actor=DIRECTOR)
    rotating.INDEX_KEYS = [NEW, OLD]
    assert services.reindex_phones().done_count == 2
    rotating.INDEX_KEYS = [NEW]
    assert selectors.find_member_id("phone", "", "13800138000") == selectors.find_member_id(
        "phone", "", PHONE
    )


def test_a_fingerprint_of_no_phone_we_keep_is_told(rotating: Any) -> None:
    MemberIdentity.objects.create(
        member=Member.objects.get(),
        kind="phone",
        value="f" * 64,
        given_through=["pos"],
        linked_at=Member.objects.get().registered_at,
    )
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("reindex", stdout=out)
    assert stopped.value.code == 1
    assert "phones: 1 made anew" in out.getvalue()
    assert "1 phones are not under the first key" in out.getvalue()
    assert PHONE not in out.getvalue()


def test_what_guides_call_members_is_found_again(rotating: Any, cast: Cast) -> None:
    rotating.INDEX_KEYS = [OLD]
    guide_services.remark_member(
        guide_id=cast.lina.id,
        public_id=_nameless(cast),
        name="绿风衣",
        actor=Actor.guide(cast.lina.id, "李娜"),
    )
    rotating.INDEX_KEYS = [NEW, OLD]
    assert remarked_member_ids(cast.lina.id, "绿风衣").exists()
    call_command("reindex", stdout=StringIO())
    rotating.INDEX_KEYS = [NEW]
    assert remarked_member_ids(cast.lina.id, "绿风衣").exists()


def _nameless(cast: Cast) -> str:
    member = services.register_follower(
        app_id=cast.app_id, openid="onameless_000000000000000001", actor=DIRECTOR
    )
    guide_services.bind_member(member_id=member.id, guide_id=cast.lina.id, source="staff", actor=DIRECTOR)
    return member.public_id


@pytest.mark.parametrize("keys", [[], ["short"], [""], ["AAAA"]])
def test_missing_and_unusable_keys_stop_at_once(keys: list[str], settings: Any) -> None:
    settings.INDEX_KEYS = keys
    with pytest.raises(ValueError, match=r"INDEX_KEY|base64|padding|encoded"):
        selectors.phone_index(PHONE)
