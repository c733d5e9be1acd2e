"""Exchange codes: made, imported, downloaded once, used once, and not guessed."""

import datetime as dt
import io
import threading
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command

from core import audit, clock, codes
from core.actor import Actor
from core.errors import Refusal
from core.models import AuditEntry
from coupons import selectors, services
from coupons.contracts import ExchangeTerms
from coupons.models import Coupon, ExchangeCode, ExchangeSet, ExchangeTally
from coupons.services import exchange_tries
from coupons.services.holdings_member_doors import ExchangeHoldings
from members.models import Member
from tests.coupons.kit import BOSS, check_counters, key, later, make_batch, make_members
from tests.coupons.test_races import outcomes
from tests.refusals import refused
from tests.threads import at_once

pytestmark = pytest.mark.django_db
WRONG = "2222222222222222"


def field_of(call: Any, *args: Any, **values: Any) -> Any:
    with pytest.raises(Refusal) as caught:
        call(*args, **values)
    return caught.value.code, caught.value.details.get("field")


def make_set(batch: int = 0, **values: Any) -> int:
    given: dict[str, Any] = {"name": "门店卡片", "kind": "generated", "code_count": 3}
    if values.get("kind", "generated") != "generated":
        given.pop("code_count")
    terms = ExchangeTerms(**(given | values))
    return services.create_exchange_set(batch_id=batch or make_batch(), terms=terms, actor=BOSS).id


def printed(set_id: int) -> tuple[str, ...]:
    return services.take_exchange_codes(set_id=set_id, actor=BOSS).codes


def exchange(code: str, member: int, request_key: str = "", **values: Any) -> Any:
    return services.exchange_code(
        code=code, member_id=member, request_key=request_key or key(), actor=BOSS, **values
    )


# Sets ------------------------------------------------------------------------------------------------------


def test_codes_are_printed_once_and_stand_nowhere_after_that() -> None:
    made = make_set(code_count=5)
    held = list(ExchangeCode.objects.order_by("number").values_list("plain", flat=True))
    taken = printed(made)
    assert list(taken) == held
    assert len(set(taken)) == 5
    assert all(codes.is_code(code, 16) for code in taken)
    assert refused(printed, made) == "coupons.exchange_file_gone"
    stored = repr(list(ExchangeCode.objects.values())) + repr(list(AuditEntry.objects.values()))
    assert not any(code in stored for code in taken)
    assert [entry.action for entry in audit.list_entries(subject=ExchangeSet(pk=made))] == [
        "coupons.exchange_codes_taken",
        "coupons.exchange_set_created",
    ]


def test_before_the_download_the_table_has_sealed_texts_only() -> None:
    from django.db import connection

    make_set(code_count=1)
    plain = ExchangeCode.objects.get().plain
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(code)::text FROM coupons_exchangecode code")
        assert plain not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "名" * 41}, "name"),
        ({"kind": "other"}, "kind"),
        ({"code_count": 0}, "code_count"),
        ({"code_count": 100_001}, "code_count"),
        ({"code_count": 101}, "code_count"),
        ({"phrase": "口令口令"}, "phrase"),
        ({"use_limit": 3}, "phrase"),
        ({"kind": "shared", "phrase": "口令"}, "phrase"),
        ({"kind": "shared", "phrase": "口" * 41}, "phrase"),
        ({"kind": "shared", "phrase": "开业大吉", "use_limit": 0}, "use_limit"),
        ({"opens_at": later(days=1), "closes_at": later(hours=1)}, "closes_at"),
    ],
)
def test_a_set_that_makes_no_sense_is_refused_at_its_field(values: dict[str, Any], field: str) -> None:
    assert field_of(make_set, make_batch(100), **values) == ("coupons.exchange_unusable", field)


def test_a_set_needs_a_batch_that_may_be_exchanged() -> None:
    assert field_of(make_set, 987_654) == ("coupons.no_such_batch", "batch")
    assert field_of(make_set, make_batch(doors=("claim",))) == ("coupons.wrong_door", "batch")
    over = make_batch()
    services.end_batch(batch_id=over, actor=BOSS)
    assert field_of(make_set, over) == ("coupons.batch_ended", "batch")


def test_a_partners_list_is_imported_twice_and_counts_once() -> None:
    made = make_set(make_batch(3), kind="imported")
    lines = ["ABCD-1234", "", "abcd 1234", "bad!code", "short", "ＷＸＹＺ５６７８"]
    done = services.import_exchange_codes(set_id=made, lines=lines, actor=BOSS)
    assert (done.added_count, done.repeated_count, done.bad_lines) == (2, 1, (4, 5))
    again = services.import_exchange_codes(set_id=made, lines=lines, actor=BOSS)
    assert (again.added_count, again.repeated_count) == (0, 3)
    other = make_set(kind="imported")
    assert services.import_exchange_codes(set_id=other, lines=["WXYZ5678"], actor=BOSS).added_count == 0
    many = [f"CODE{number:04}" for number in range(4)]
    assert field_of(services.import_exchange_codes, set_id=made, lines=many, actor=BOSS) == (
        "coupons.exchange_unusable",
        "file",
    )
    assert (
        selectors.get_exchange_set(made).code_count
        == ExchangeCode.objects.filter(exchange_set=made).count()
        == 2
    )
    assert list(ExchangeCode.objects.values_list("plain", flat=True)) == ["", ""]
    assert exchange("wxyz-5678", make_members(1)[0]).is_new
    assert refused(services.import_exchange_codes, set_id=make_set(), lines=[], actor=BOSS)
    assert refused(printed, made) == "coupons.exchange_file_gone"
    assert refused(printed, 987_654) == "coupons.no_such_exchange_set"


# Exchanging ------------------------------------------------------------------------------------------------


def test_a_code_is_good_for_one_coupon_however_it_is_typed() -> None:
    member, other = make_members(2)
    batch = make_batch()
    made = make_set(batch)
    first, second, _third = printed(made)
    typed = f" {first[:4].lower()}-{first[4:8]} {first[8:]} "
    issued = exchange(typed, member, "once")
    again = exchange(first, member, "once")
    assert (again.id, again.code, again.is_new, issued.is_new) == (issued.id, issued.code, False, True)
    coupon = Coupon.objects.get()
    assert (coupon.door, coupon.member_id) == ("code", member)
    assert refused(exchange, first, member) == "coupons.exchange_code_used"
    assert refused(exchange, first, other, "once") == "coupons.exchange_code_used"
    assert refused(exchange, second, member, "once") == "coupons.request_reused"
    assert exchange(second, other, "once").is_new
    summary = selectors.sum_exchange_sets([made])[made]
    assert (summary.code_count, summary.used_count, summary.voided_count) == (3, 2, 0)
    row = ExchangeCode.objects.get(coupon=coupon)
    assert (row.used_by_id, row.state) == (member, "used")
    check_counters(batch)


def test_what_the_batch_refuses_leaves_the_code_free() -> None:
    member, other = make_members(2)
    batch = make_batch(5, member_limit=1)
    first, second, _third = printed(make_set(batch))
    assert exchange(first, member).is_new
    assert refused(exchange, second, member) == "coupons.over_member_limit"
    services.pause_batch(batch_id=batch, actor=BOSS)
    assert refused(exchange, second, other) == "coupons.batch_paused"
    services.open_batch(batch_id=batch, actor=BOSS)
    assert exchange(second, other).is_new


def test_a_window_and_a_void_set_are_told_by_name() -> None:
    member, now = make_members(1)[0], clock.now()
    made = make_set(opens_at=now + dt.timedelta(hours=1), closes_at=now + dt.timedelta(hours=2))
    first, second, third = printed(made)
    assert refused(exchange, first, member) == "coupons.exchange_not_started"
    issued = exchange(first, member, "k", at=now + dt.timedelta(hours=1))
    assert refused(exchange, second, member, at=now + dt.timedelta(hours=2)) == "coupons.exchange_ended"
    assert services.void_exchange_set(set_id=made, reason="印错了", actor=BOSS) == 2
    assert services.void_exchange_set(set_id=made, reason="印错了", actor=BOSS) == 0
    assert refused(exchange, third, member, at=now + dt.timedelta(hours=1)) == "coupons.exchange_code_voided"
    assert exchange(first, member, "k").id == issued.id
    assert selectors.get_coupon(issued.id).state == "issued"
    assert (
        refused(services.void_exchange_set, set_id=made, reason=" ", actor=BOSS) == "coupons.reason_missing"
    )
    assert refused(services.void_exchange_set, set_id=0, reason="x", actor=BOSS)
    assert refused(printed, made) == "coupons.exchange_set_voided"


def test_a_phrase_gives_each_member_one_up_to_its_limit() -> None:
    first, second, third = make_members(3)
    batch = make_batch()
    made = make_set(batch, kind="shared", phrase="双十一 快乐", use_limit=2)
    issued = exchange("双十一快乐", first)
    assert exchange("双十一快乐", first).id == issued.id
    assert exchange(" 双十一 快乐", second).is_new
    assert refused(exchange, "双十一快乐", third) == "coupons.exchange_used_up"
    assert ExchangeSet.objects.get(pk=made).used_count == 2
    assert selectors.sum_exchange_sets([made])[made].used_count == 2
    assert field_of(make_set, batch, kind="shared", phrase="双十一快乐") == (
        "coupons.exchange_unusable",
        "phrase",
    )
    open_to_all = make_set(batch, kind="shared", phrase="WELCOME")
    assert exchange("welcome", third).is_new
    services.void_exchange_set(set_id=open_to_all, reason="停", actor=BOSS)
    assert refused(exchange, "welcome", second) == "coupons.exchange_code_voided"
    Member.objects.filter(pk=third).update(merged_into_id=first)
    assert exchange("双十一快乐", third).id == issued.id


@pytest.mark.parametrize("code", ["", " ", WRONG, "x" * 500, "\0", "口令", "' OR 1=1 --"])
def test_what_is_no_code_of_ours_is_wrong(code: str) -> None:
    make_set()
    assert refused(exchange, code, make_members(1)[0]) == "coupons.exchange_code_wrong"


def test_an_unknown_member_and_an_unusable_key_are_refused() -> None:
    assert refused(exchange, printed(make_set())[0], 987_654) == "members.no_such_member"
    assert refused(exchange, WRONG, make_members(1)[0], "a b") == "coupons.request_key_unusable"


# Guessing --------------------------------------------------------------------------------------------------


def test_a_member_may_be_wrong_ten_times_an_hour_and_right_ones_do_not_count() -> None:
    member, other = make_members(2)
    now = clock.now().replace(minute=10, second=0, microsecond=0)
    good = printed(make_set(code_count=4))
    for left in range(9, 4, -1):
        with pytest.raises(Refusal) as caught:
            exchange(WRONG, member, at=now)
        assert caught.value.details == {"tries_left": left}
    assert exchange(good[0], member, at=now).is_new
    for _ in range(5):
        assert refused(exchange, WRONG, member, at=now) == "coupons.exchange_code_wrong"
    with pytest.raises(Refusal) as caught:
        exchange(good[1], member, at=now)
    assert caught.value.code == "coupons.too_many_tries"
    assert caught.value.details["retry_after_s"] == 3_001
    assert exchange(good[1], other, at=now).is_new
    assert exchange(good[2], member, at=now + dt.timedelta(hours=1)).is_new
    assert services.prune_exchange_tries(actor=BOSS, at=now + dt.timedelta(days=3)) > 0
    assert not ExchangeTally.objects.exists()


def test_an_address_is_limited_whoever_asks_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_tries, "MOST_OF_ADDRESS", 3)
    members, at = make_members(5), clock.now()
    for member in members[:3]:
        assert refused(exchange, WRONG, member, address="1.2.3.4", at=at) == "coupons.exchange_code_wrong"
    assert refused(exchange, WRONG, members[3], address="1.2.3.4", at=at) == "coupons.too_many_tries"
    assert refused(exchange, WRONG, members[3], address="1.2.3.5", at=at) == "coupons.exchange_code_wrong"
    stored = repr(list(ExchangeTally.objects.values()))
    assert "1.2.3" not in stored


@pytest.mark.django_db(transaction=True)
def test_guesses_at_once_are_not_more_than_guesses_one_after_the_other() -> None:
    member = make_members(1)[0]
    make_set()
    answers = at_once([partial(exchange, WRONG, member, at=clock.now())] * 20)
    assert outcomes(answers) == {"coupons.exchange_code_wrong": 10, "coupons.too_many_tries": 10}


# Races -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_get_one_coupon_for_one_code() -> None:
    members, batch = make_members(20), make_batch()
    code = printed(make_set(batch))[0]
    answers = at_once([partial(exchange, code, member) for member in members])
    assert outcomes(answers) == {"coupons.exchange_code_used": 19, "ok": 1}
    assert Coupon.objects.filter(batch_id=batch).count() == 1
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_the_same_request_twenty_times_is_one_coupon() -> None:
    member, batch = make_members(1)[0], make_batch()
    code = printed(make_set(batch))[0]
    answers = at_once([partial(exchange, code, member, "once")] * 8)
    assert len({answer.id for answer in answers}) == 1
    assert Coupon.objects.filter(batch_id=batch).count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_one_code_gives_two_coupons() -> None:
    members, batch = make_members(2), make_batch()
    made = make_set(batch)
    row = ExchangeCode.objects.filter(exchange_set=made).earliest("number")
    looked = threading.Barrier(2)

    def careless(member: int) -> None:
        assert ExchangeCode.objects.get(pk=row.pk).state == "free"
        looked.wait(timeout=30)
        issued = services.claim_coupon(
            batch_id=batch, member_id=member, request_key=f"code:{row.pk}", door="code", actor=BOSS
        )
        ExchangeCode.objects.filter(pk=row.pk).update(
            state="used", used_by_id=member, coupon_id=issued.id, used_at=clock.now()
        )

    at_once([partial(careless, member) for member in members])
    assert Coupon.objects.filter(batch_id=batch).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_phrases_limit_holds_for_many_at_once() -> None:
    members, batch = make_members(12), make_batch()
    make_set(batch, kind="shared", phrase="开业大吉", use_limit=3)
    answers = at_once([partial(exchange, "开业大吉", member) for member in members])
    assert outcomes(answers) == {"coupons.exchange_used_up": 9, "ok": 3}
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_voiding_beside_exchanging_leaves_each_code_used_or_void() -> None:
    members, batch = make_members(8), make_batch()
    made = make_set(batch, code_count=8)
    taken = printed(made)
    void = partial(services.void_exchange_set, set_id=made, reason="停", actor=BOSS)
    at_once([*(partial(exchange, code, member) for code, member in zip(taken, members, strict=True)), void])
    states = list(ExchangeCode.objects.filter(exchange_set=made).values_list("state", flat=True))
    assert set(states) <= {"used", "voided"}
    assert states.count("used") == Coupon.objects.filter(batch_id=batch).count()


# Keys and people -------------------------------------------------------------------------------------------


def test_codes_are_found_after_the_index_key_changed(settings: Any) -> None:
    from core.crypto import new_key

    member = make_members(1)[0]
    taken = printed(make_set())
    assert selectors.count_older_exchange_sets() == 0
    settings.INDEX_KEYS = [new_key(), *settings.INDEX_KEYS]
    assert selectors.count_older_exchange_sets() == 1
    said = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("reindex", check=True, stdout=said)
    assert "1 open sets of exchange codes" in said.getvalue()
    assert exchange(taken[0], member).is_new
    assert list(selectors.find_exchange_code_ids(taken[1])) == [
        ExchangeCode.objects.get(number=2).pk,
    ]
    services.void_exchange_set(set_id=ExchangeSet.objects.get().pk, reason="换", actor=BOSS)
    assert selectors.count_older_exchange_sets() == 0


def test_merging_exporting_and_erasing_know_her_codes() -> None:
    emptier, survivor = make_members(2)
    code = printed(make_set())[0]
    issued = exchange(code, emptier, "k")
    holdings = ExchangeHoldings()
    assert holdings.preview(survivor_id=survivor, emptier_id=emptier) == []
    Member.objects.filter(pk=emptier).update(merged_into_id=survivor)
    snapshot = holdings.move(emptier_id=emptier, survivor_id=survivor, actor=BOSS, at=clock.now())
    assert exchange(code, survivor, "k").id == exchange(code, emptier, "k").id == issued.id
    assert [len(rows) for rows in holdings.export(survivor).values()] == [1]
    Member.objects.filter(pk=emptier).update(merged_into_id=None)
    values: dict[str, Any] = {"emptier_id": emptier, "survivor_id": survivor, "snapshot": snapshot}
    holdings.restore(**values, actor=Actor.system("test"), at=clock.now())
    assert ExchangeCode.objects.get(state="used").used_by_id == emptier
    assert holdings.export(survivor) == {}
    assert holdings.erase(member_id=emptier, actor=BOSS, at=clock.now()) == 0
