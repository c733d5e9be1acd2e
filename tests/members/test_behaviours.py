"""What members do in the mini-program: kept once, in its month, without what is nobody's business."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from core.actor import Actor
from core.clock import SHANGHAI
from members import selectors, services
from members.contracts.behaviours import BEHAVIOUR_FAULTS, BEHAVIOUR_KINDS
from members.errors import NoSuchMember
from members.models import Behaviour, BehaviourPolicy, BehaviourVisitor, Member
from members.selectors.tier_rules import add_months
from members.services.behaviour_partitions import (
    keep_partitions,
    list_partitions,
    make_partitions,
)
from members.services.behaviour_reading import mask_personal
from tests.cast import APP_ID, openid_of
from tests.members import privacy_kit
from tests.members.behaviours_kit import NOON, deed, of, tell, tell_of
from tests.members.merge_kit import customer, follower, merge, undo
from tests.threads import at_once

HOUR = dt.timedelta(hours=1)
NOVEMBER, DECEMBER = dt.date(2026, 11, 1), dt.date(2026, 12, 1)


def without_months() -> None:
    """As on the first day: tests before may have left their months."""
    for month in list_partitions():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE members_behaviour_y{month:%Y}m{month:%m}")


def codes(kept: Any) -> list[tuple[str, str]]:
    return [(fault.code, fault.field) for fault in kept.faults]


# Once -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_repeated_batch_counts_once_and_says_so() -> None:
    her = follower("xiaomei")
    batch = [deed(), deed("searched", words="羊毛大衣"), deed("cart_added", product="C2041", quantity=2)]
    first = tell(her.id, *batch)
    again = tell(her.id, *batch, deed(), at=NOON + HOUR)
    assert (first.kept_count, first.repeated_count, again.kept_count, again.repeated_count) == (3, 0, 1, 3)
    rows = Behaviour.objects.order_by("pk")
    assert [(row.kind, row.subject) for row in rows][:3] == [
        ("product_viewed", "C2041"), ("searched", "羊毛大衣"), ("cart_added", "C2041"),
    ]  # fmt: skip
    assert rows[2].details == {"quantity": 2}
    assert rows[0].happened_at == NOON - dt.timedelta(minutes=1)


@pytest.mark.django_db
def test_one_key_twice_in_a_batch_counts_once() -> None:
    kept = tell(follower("xiaomei").id, deed(key="same-key-1"), deed("searched", key="same-key-1", words="x"))
    assert (kept.kept_count, kept.repeated_count, Behaviour.objects.count()) == (1, 1, 1)


@pytest.mark.django_db
def test_anothers_key_is_anothers() -> None:
    one, other = follower("xiaomei"), follower("xiaoli")
    assert tell(one.id, deed(key="same-key-1")).kept_count == 1
    assert tell(other.id, deed(key="same-key-1")).kept_count == 1
    assert sorted(Behaviour.objects.values_list("member_id", flat=True)) == sorted([one.id, other.id])


@pytest.mark.django_db
def test_a_repeat_over_the_end_of_a_month_counts_once() -> None:
    """The phone's clock was set between the two sendings, so the second time it lies in another partition."""
    her = follower("xiaomei")
    midnight = dt.datetime(2026, 12, 1, tzinfo=SHANGHAI)
    one = deed(at=midnight - dt.timedelta(seconds=30))
    tell(her.id, one, at=midnight + dt.timedelta(seconds=10))
    again = tell(her.id, one, at=midnight + HOUR, sent_at=midnight)
    assert (again.kept_count, again.repeated_count, Behaviour.objects.count()) == (0, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_fifty_phones_that_send_one_batch_at_once_count_it_once() -> None:
    her = follower("xiaomei")
    batch = [deed() for _ in range(20)]
    calls = [lambda: tell(her.id, *batch)] * 50
    answers = at_once(calls)
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert sum(one.kept_count for one in answers) == 20 == Behaviour.objects.count()
    assert sum(one.repeated_count for one in answers) == 49 * 20


@pytest.mark.django_db(transaction=True)
def test_fifty_batches_of_as_many_people_at_once_are_all_kept() -> None:
    people = [follower(f"p{number}").id for number in range(50)]
    without_months()  # so that all of them find none
    answers = at_once([lambda pk=pk: tell(pk, deed(), deed()) for pk in people])  # type: ignore[misc]
    assert [one for one in answers if isinstance(one, Exception)] == []
    assert Behaviour.objects.count() == 100
    assert list_partitions() == (NOVEMBER,)


# When -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [dt.timedelta(days=-400), dt.timedelta(hours=-8), dt.timedelta(days=900)])
def test_a_wrong_clock_moves_nothing(wrong: dt.timedelta) -> None:
    happened = NOON - 2 * HOUR
    tell(follower("xiaomei").id, deed(at=happened + wrong), sent_at=NOON + wrong)
    assert Behaviour.objects.get().happened_at == happened


@pytest.mark.django_db
def test_a_little_ahead_is_now_and_more_is_refused_as_is_what_is_too_old() -> None:
    told = [
        deed(at=NOON + dt.timedelta(minutes=4)),
        deed(at=NOON + dt.timedelta(minutes=6)),
        deed(at=NOON - dt.timedelta(days=7)),
        deed(at=NOON - dt.timedelta(days=7, seconds=1)),
        {**deed(), "at": "2026-11-28T12:00:00"},
        {**deed(), "at": 1_795_000_000},
        {**deed(), "at": "2026-13-45T00:00:00Z"},
    ]
    kept = tell(follower("xiaomei").id, *told)
    assert codes(kept) == [
        ("in_future", "at"), ("too_old", "at"), ("bad_time", "at"), ("bad_time", "at"), ("bad_time", "at"),
    ]  # fmt: skip
    assert sorted(Behaviour.objects.values_list("happened_at", flat=True)) == [
        NOON - dt.timedelta(days=7),
        NOON,
    ]


@pytest.mark.django_db
def test_a_month_begins_at_midnight_in_shanghai() -> None:
    midnight = dt.datetime(2026, 12, 1, tzinfo=SHANGHAI)
    tell(
        follower("xiaomei").id,
        deed(at=midnight - dt.timedelta(microseconds=1)),
        deed(at=midnight),
        at=midnight + HOUR,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM members_behaviour ORDER BY happened_at")
        assert [name for (name,) in cursor.fetchall()] == [
            "members_behaviour_y2026m11", "members_behaviour_y2026m12",
        ]  # fmt: skip


# Months -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_missing_month_is_made_when_it_is_needed() -> None:
    without_months()
    assert tell(follower("xiaomei").id, deed()).kept_count == 1
    assert list_partitions() == (NOVEMBER,)


@pytest.mark.django_db
def test_months_are_made_ahead_and_dropped_when_their_time_is_over() -> None:
    without_months()
    her = follower("xiaomei").id
    BehaviourPolicy.objects.create(pk=1, kept_months=2)
    for count in (-4, -3, -2, -1):
        make_partitions(months=[add_months(NOVEMBER, count)])
        month = add_months(NOVEMBER, count)
        tell(her, deed(at=dt.datetime(month.year, month.month, 9, tzinfo=SHANGHAI)),
             at=dt.datetime(month.year, month.month, 10, tzinfo=SHANGHAI))  # fmt: skip
    assert Behaviour.objects.count() == 4
    assert keep_partitions(at=NOON) == 3 + 2
    assert list_partitions() == tuple(add_months(NOVEMBER, count) for count in range(-2, 3))
    assert Behaviour.objects.count() == 2
    assert keep_partitions(at=NOON) == 0


@pytest.mark.django_db(transaction=True)
def test_a_month_that_is_being_read_is_dropped_later() -> None:
    BehaviourPolicy.objects.create(pk=1, kept_months=1)
    make_partitions(months=[dt.date(2026, 1, 1)])
    with transaction.atomic():
        list(Behaviour.objects.all())
        [answer] = at_once([lambda: keep_partitions(at=NOON)])
    assert not isinstance(answer, Exception)
    assert {dt.date(2026, 1, 1), NOVEMBER, DECEMBER} <= set(list_partitions())
    assert keep_partitions(at=NOON) == 1
    assert dt.date(2026, 1, 1) not in list_partitions()


# What -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("bad", "code", "field"),
    [
        (7, "not_an_object", ""),
        ("x", "not_an_object", ""),
        ({}, "missing_field", "key"),
        ({**deed(), "surprise": 1}, "unknown_field", "surprise"),
        (deed(key="short"), "bad_key", "key"),
        (deed(key="钥匙钥匙钥匙钥匙"), "bad_key", "key"),
        ({**deed(), "kind": "teleported"}, "unknown_kind", "kind"),
        ({**deed(), "kind": ["page_viewed"]}, "unknown_kind", "kind"),
        ({**deed(), "with": []}, "not_an_object", "with"),
        (deed(product="C1", colour="red"), "unknown_field", "with.colour"),
        (deed(page="pages/x"), "missing_field", "with.product"),
        (deed(product=7), "bad_value", "with.product"),
        (deed(product=" "), "bad_value", "with.product"),
        (deed(product="两 件"), "bad_value", "with.product"),
        (deed(product="x" * 41), "too_long", "with.product"),
        (deed(product="13800138000"), "personal", "with.product"),
        (deed("campaign_viewed", campaign="oAbCdEfGhIjKlMnOpQrStUvWxYz12"), "personal", "with.campaign"),
        (deed("page_viewed", page="pages/u/13800138000"), "personal", "with.page"),
        (deed("page_viewed", page="https://x y"), "bad_value", "with.page"),
        (deed("page_viewed", page="?a=1"), "bad_value", "with.page"),
        (deed(product="C1", stay_s=-1), "bad_value", "with.stay_s"),
        (deed(product="C1", stay_s=True), "bad_value", "with.stay_s"),
        (deed(product="C1", stay_s="9"), "bad_value", "with.stay_s"),
        (deed("shared", page="pages/x", to="everybody"), "bad_value", "with.to"),
        (deed("searched", words="　 "), "bad_value", "with.words"),
        (deed("searched", words="x" * 41), "too_long", "with.words"),
    ],
)
def test_one_bad_one_is_refused_and_the_others_are_kept(bad: Any, code: str, field: str) -> None:
    kept = tell(follower("xiaomei").id, deed(), bad, deed())
    assert (kept.kept_count, codes(kept), [fault.index for fault in kept.faults]) == (2, [(code, field)], [1])
    assert code in BEHAVIOUR_FAULTS


@pytest.mark.django_db
def test_phones_and_openids_stay_outside() -> None:
    tell(
        follower("xiaomei").id,
        deed("searched", words="找 138 0013-8000 的订单"),
        deed("searched", words="１３８００１３８０００"),
        deed("searched", words="oAbCdEfGhIjKlMnOpQrStUvWxYz12"),
        deed("page_viewed", page="/pages/goods/detail?openid=oAbCdEfGhIjKlMnOpQrStUvWxYz12&tel=13800138000"),
    )
    subjects = Behaviour.objects.order_by("pk").values_list("subject", flat=True)
    assert list(subjects) == ["找 *** 的订单", "***", "***", "pages/goods/detail"]


@given(st.text(max_size=60), st.integers(13_000_000_000, 19_999_999_999), st.text(max_size=60))
def test_no_text_lets_a_phone_through(before: str, phone: int, after: str) -> None:
    masked = mask_personal(f"{before}{phone}{after}")
    assert str(phone) not in masked
    assert masked.isprintable()
    assert masked == " ".join(masked.split())


@pytest.mark.django_db
def test_every_kind_can_be_told_and_is_about_one_of_its_fields() -> None:
    her = follower("xiaomei").id
    samples: dict[str, Any] = {
        "page": "pages/index", "product": "C1", "words": "大衣", "campaign": "double11", "to": "friend",
    }  # fmt: skip
    for kind in BEHAVIOUR_KINDS.values():
        told = {name: samples.get(name, field.most) for name, field in kind.fields.items()}
        assert codes(tell(her, deed(kind.code, **told))) == []
        row = Behaviour.objects.latest("pk")
        assert (row.subject, row.details) == (
            samples[kind.subject], {name: value for name, value in told.items() if name != kind.subject},
        )  # fmt: skip
        assert kind.fields[kind.subject].is_required
        assert not str(kind.label).isascii()


# Whose ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_of_a_member_who_did_not_agree_nothing_is_kept() -> None:
    her, fan = customer("13912345678", at=NOON), follower("xiaoli")
    privacy_kit.consent_texts(NOON)
    kept = tell(her.id, deed(), {**deed(), "kind": "x"})
    assert (kept.kept_count, kept.declined_count, len(kept.faults)) == (0, 1, 1)
    assert tell(fan.id, deed()).kept_count == 1  # nobody asked her yet
    said: dict[str, Any] = {"kind": "recommendation", "door": "mini_program"}
    for person in (her, fan):
        services.agree_consent(member_id=person.id, version=1, actor=Actor.member(person.id), at=NOON, **said)
        assert tell(person.id, deed()).kept_count == 1
        services.withdraw_consent(member_id=person.id, actor=Actor.member(person.id), at=NOON + HOUR, **said)
        assert tell(person.id, deed(), at=NOON + HOUR).declined_count == 1
    assert services.forget_unagreed(at=NOON + 2 * HOUR) == 3
    assert not Behaviour.objects.exists()


@pytest.mark.django_db
def test_who_becomes_a_member_without_agreeing_leaves_nothing() -> None:
    privacy_kit.consent_texts(NOON)
    fan = follower("xiaoli")
    tell(fan.id, deed())
    Member.objects.filter(pk=fan.id).update(stage="member")
    assert services.forget_behaviours(member_id=fan.id, at=NOON) == 1


@pytest.mark.django_db
def test_while_the_chain_keeps_none_none_is_kept() -> None:
    her = follower("xiaomei")
    BehaviourPolicy.objects.create(pk=1, is_on=False)
    assert tell(her.id, deed()).declined_count == 1
    assert tell_of(of("openid", openid_of("xiaomei"), APP_ID), deed()).declined_count == 1
    assert not Behaviour.objects.exists()


@pytest.mark.django_db
def test_who_was_erased_is_gone_and_tells_nothing_more() -> None:
    her = follower("xiaomei")
    tell(her.id, deed())
    tell_of(of("mini_openid", "stranger-1", APP_ID), deed())
    services.erase_member(member_id=her.id, reason="own_wish", actor=Actor.system("t"))
    assert list(Behaviour.objects.values_list("member_id", flat=True)) == [None]
    with pytest.raises(NoSuchMember):
        tell(her.id, deed())


@pytest.mark.django_db
def test_merging_takes_them_along_and_undoing_gives_them_back() -> None:
    till, fan = customer("13912345678"), follower("xiaomei")
    tell(till.id, deed(), deed(at=NOON - dt.timedelta(days=5)))
    tell(fan.id, deed(), deed(at=dt.datetime(2026, 11, 22, tzinfo=SHANGHAI)))
    seen = services.preview_merge(first_id=fan.id, second_id=till.id)
    line = next(part for part in seen.parts if part.title == "小程序行为").lines[0]
    assert (line.survivor, line.emptier, line.outcome) == ("2", "2", "4")
    record = merge(fan.id, till.id)
    assert set(Behaviour.objects.values_list("member_id", flat=True)) == {till.id}
    assert tell(fan.id, deed()).kept_count == 1  # what was under way when she was merged is the survivor's
    undo(record)
    assert Behaviour.objects.filter(member_id=fan.id).count() == 2
    assert Behaviour.objects.filter(member_id=till.id).count() == 3


@pytest.mark.django_db
def test_her_copy_has_them_in_words() -> None:
    her = follower("xiaomei")
    tell(her.id, deed("cart_added", product="C2041", quantity=2))
    told = services.export_member(member_id=her.id, actor=Actor.system("t"))
    assert "加入购物车" in str(told)
    assert "C2041" in str(told)


# Servers ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_server_names_whose_it_is() -> None:
    till, fan = customer("13912345678"), follower("xiaomei")
    for member in (of("phone", "13912345678"), of("member_code", till.code)):
        assert tell_of(member, deed()).kept_count == 1
    assert tell_of(of("openid", openid_of("xiaomei"), APP_ID), deed()).kept_count == 1
    assert Behaviour.objects.filter(member_id=till.id, door="api").count() == 2
    assert Behaviour.objects.filter(member_id=fan.id).count() == 1
    bad = [of("phone", "13800000000"), of("shoe_size", "42"), of("openid", "nobody-here"), {"kind": "phone"}]
    assert [codes(tell_of(one, deed()))[0] for one in bad] == [
        ("unknown_member", "member"), ("bad_value", "member.kind"), ("bad_value", "member.app_id"),
        ("bad_value", "member.value"),
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_an_unknown_openid_did_is_hers_when_she_is_known() -> None:
    stranger = of("mini_openid", "stranger-1", APP_ID)
    one = deed()
    assert (tell_of(stranger, one, deed()).kept_count, tell_of(stranger, one).repeated_count) == (2, 1)
    assert services.adopt_behaviours(at=NOON) == 0
    her = services.register_mini_visitor(app_id=APP_ID, openid="stranger-1", actor=Actor.wechat(), at=NOON)
    assert services.adopt_behaviours(member_id=her.id + 1, at=NOON) == 0
    assert services.adopt_behaviours(member_id=her.id, at=NOON) == 1
    assert set(Behaviour.objects.values_list("member_id", flat=True)) == {her.id}
    assert Behaviour.objects.filter(visitor=None).count() == 2
    assert not BehaviourVisitor.objects.exists()
    assert tell_of(stranger, one).repeated_count == 1
    assert selectors.list_behaviours(her.id)[0].subject == "C2041"


@pytest.mark.django_db
def test_what_an_unknown_openid_did_is_gone_when_she_turns_out_to_have_said_no() -> None:
    privacy_kit.consent_texts(NOON)
    till = customer("13912345678", at=NOON)
    tell_of(of("mini_openid", "stranger-1", APP_ID), deed())
    services.register_mini_visitor(app_id=APP_ID, openid="stranger-1", actor=Actor.wechat(), at=NOON)
    fan = selectors.find_member_id("mini_openid", APP_ID, "stranger-1")
    assert fan is not None
    merge(fan, till.id)
    assert services.adopt_behaviours(at=NOON) == 1
    assert not Behaviour.objects.exists()
