"""Coupons from the mini-program: claimed, held, shown, given away, exchanged, unlocked."""

import base64
import datetime as dt
import re
from functools import partial
from typing import Any, Final

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from core.actor import Actor
from core.errors import Refusal
from coupons import services
from coupons.contracts import ExchangeTerms, UnlockTerms
from coupons.models import Coupon, CouponBatch, CouponReferral, CouponToken, UnlockOffer
from coupons.services import exchange_tries
from guides.selectors import get_guide_code
from members.models import Member
from miniapp.views.coupon_shapes import seal_coupon_id
from sales.models import Product
from tests.coupons.kit import BOSS, key, make_batch, make_template, order
from tests.members import tiers_kit
from tests.miniapp.kit import Mini, Phone, codes
from tests.threads import at_once

UNKNOWN: Final = "2222222222222222"
NOBODYS: Final = "A" * 22
BUDGET: Final = 12
# What opens and closes transactions is counted apart.
_BRACKETS: Final = re.compile(r"BEGIN|COMMIT|SAVEPOINT|RELEASE|ROLLBACK")


def member_of(phone: Phone) -> int:
    return Member.objects.get(public_id=phone.get("/profile").data["id"]).pk


def link_of(batch: int) -> str:
    return CouponBatch.objects.get(pk=batch).public_id


def claim(phone: Phone, batch: int, request_key: str = "claim-0001", **more: Any) -> Any:
    return phone.post(f"/coupon-batches/{link_of(batch)}/claim", {"request_key": request_key, **more})


def make_codes(batch: int, count: int = 3) -> tuple[str, ...]:
    terms = ExchangeTerms(name="卡片", kind="generated", code_count=count)
    made = services.create_exchange_set(batch_id=batch, terms=terms, actor=BOSS)
    return services.take_exchange_codes(set_id=made.id, actor=BOSS).codes


def make_offer(batch: int, friend_batch: int, needed_count: int = 1) -> str:
    terms = UnlockTerms(
        name="邀好友", batch_id=batch, friend_batch_id=friend_batch, needed_count=needed_count
    )
    return UnlockOffer.objects.get(pk=services.create_unlock_offer(terms=terms, actor=BOSS)).public_id


@pytest.fixture
def friend(mini: Mini, phone: Phone) -> Phone:
    """小丽's phone, logged in."""
    one = mini.phone_of("小丽")
    one.log_in()
    return one


# Claiming --------------------------------------------------------------------------------------------------


def test_the_claim_centre_says_what_is_left_when_it_opens_and_why_not(phone: Phone) -> None:
    opens = clock.now() + dt.timedelta(hours=1)
    open_, sold, later, hidden = (
        make_batch(5, name="开", member_limit=1),
        make_batch(1, name="光"),
        make_batch(name="等", opens_at=opens),
        make_batch(doors=("guide",)),
    )
    services.claim_coupon(
        batch_id=sold, member_id=Member.objects.create(source="import", registered_at=clock.now()).pk,
        request_key="k", actor=BOSS,
    )  # fmt: skip
    found = {one["id"]: one for one in phone.get("/coupon-batches").data["batches"]}
    assert set(found) == {link_of(open_), link_of(sold), link_of(later)}
    mine = found[link_of(open_)]
    assert (mine["is_claimable"], mine["remaining_count"], mine["member_limit"]) == (True, 5, 1)
    assert (found[link_of(sold)]["why_not"], found[link_of(sold)]["why_not_words"]) == (
        "coupons.batch_sold_out",
        "券已经领完了",
    )
    waiting = found[link_of(later)]
    assert (waiting["why_not"], dt.datetime.fromisoformat(waiting["opens_at"])) == (
        "coupons.batch_not_started",
        opens,
    )
    assert link_of(hidden) not in found
    claim(phone, open_)
    again = phone.get(f"/coupon-batches/{link_of(open_)}").data
    assert (again["why_not"], again["claimed_count"], again["remaining_count"]) == (
        "coupons.over_member_limit",
        1,
        4,
    )
    told = phone.get("/coupon-batches").content.decode()
    assert "budget" not in told
    assert "cost" not in told


def test_the_same_claim_twenty_times_is_one_coupon(phone: Phone) -> None:
    batch = make_batch(member_limit=1)
    answers = at_once([partial(claim, phone, batch)] * 20)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data["coupon"]["id"] for answer in answers}) == 1
    assert sum(answer.data["is_new"] for answer in answers) == 1
    assert Coupon.objects.filter(batch_id=batch).count() == 1
    assert codes(claim(phone, batch, "claim-0002")) == (409, "coupons.over_member_limit")


def test_two_devices_of_one_member_have_one_limit(mini: Mini) -> None:
    person = mini.person()
    phones = [Phone(mini, person), Phone(mini, person)]
    for number, one in enumerate(phones):
        one.log_in(install_key=f"install-key-{number}")
    batch = make_batch(member_limit=1)
    answers = at_once(
        [partial(claim, phones[number % 2], batch, f"device-{number:04}") for number in range(8)]
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]


def test_a_claim_keeps_what_led_her_there(phone: Phone, friend: Phone, cast: Any) -> None:
    code = get_guide_code(cast.lina.id).code
    sharer = friend.get("/profile").data["id"]
    claim(phone, make_batch(), scene=code, sharer=sharer, article="spring")
    kept = CouponReferral.objects.get()
    assert (kept.guide_id, kept.sharer_id, kept.article) == (cast.lina.id, member_of(friend), "spring")
    assert claim(phone, make_batch(), scene="unknown", sharer="nobody").status_code == 200
    assert CouponReferral.objects.count() == 1


def test_her_tier_is_asked_for(phone: Phone) -> None:
    from members import selectors as member_selectors

    tiers_kit.make_ladder()
    tiers = {tier.name: tier.id for tier in member_selectors.list_tiers()}
    gold, plain = (
        make_batch(template_id=make_template(tier_ids=(tiers[name],))) for name in ("金卡", "普通")
    )
    assert codes(claim(phone, plain)) == (403, "coupons.wrong_tier")
    phone.prove_phone()
    assert claim(phone, plain).status_code == 200
    assert codes(claim(phone, gold)) == (403, "coupons.wrong_tier")
    found = {one["id"]: one["why_not"] for one in phone.get("/coupon-batches").data["batches"]}
    assert found[link_of(gold)] == "coupons.wrong_tier"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"request_key": "short"},
        {"request_key": "x" * 65},
        {"request_key": "claim-0001", "surprise": 1},
        {"request_key": "claim-0001", "scene": 7},
        {"request_key": "claim-0001", "article": "a b"},
    ],
)
def test_a_bad_claim_is_a_400(phone: Phone, body: dict[str, Any]) -> None:
    answer = phone.post(f"/coupon-batches/{link_of(make_batch())}/claim", body)
    assert codes(answer) == (400, "core.invalid_input")


def test_a_void_template_and_a_voided_batch_say_so(phone: Phone) -> None:
    template = make_template()
    batch = make_batch(template_id=template)
    held = claim(phone, batch).data["coupon"]["id"]
    services.retire_template(template_id=template, actor=BOSS)
    assert codes(claim(phone, batch, "claim-0002")) == (409, "coupons.batch_ended")
    assert phone.get(f"/coupons/{held}").data["state"] == "issued"
    assert claim(phone, batch).data["coupon"]["id"] == held
    services.void_coupons(batch_id=batch, reason="活动取消", actor=BOSS)
    told = phone.get(f"/coupons/{held}")
    assert (told.data["state"], told.data["steps"][-1]["title"]) == ("voided", "已作废")
    assert "活动取消" not in told.content.decode()
    assert codes(phone.post(f"/coupons/{held}/code")) == (409, "coupons.coupon_voided")


# Her coupons -----------------------------------------------------------------------------------------------


def test_her_list_comes_in_pages_the_first_to_be_over_first(phone: Phone) -> None:
    ids = [
        claim(phone, make_batch(template_id=make_template(valid_days=days))).data["coupon"]["id"]
        for days in (9, 2, 5)
    ]
    first = phone.get("/coupons?limit=2").data
    assert [one["id"] for one in first["coupons"]] == [ids[1], ids[2]]
    assert first["counts"] == {"usable": 3, "expiring": 1, "redeemed": 0, "over": 0}
    second = phone.get(f"/coupons?limit=2&cursor={first['next_cursor']}").data
    assert ([one["id"] for one in second["coupons"]], second["next_cursor"]) == ([ids[0]], None)
    assert phone.get("/coupons?state=over").data["coupons"] == []
    assert codes(phone.get("/coupons?state=lost")) == (400, "core.invalid_input")
    assert codes(phone.get("/coupons?cursor=forged")) == (400, "core.invalid_input")


def test_a_guides_gift_and_a_rules_coupon_say_where_they_came_from(phone: Phone, cast: Any) -> None:
    member, batch = member_of(phone), make_batch()
    services.issue_coupon(
        batch_id=batch, member_id=member, request_key="g", door="guide", guide_id=cast.lina.id, actor=BOSS
    )
    services.issue_coupon(batch_id=batch, member_id=member, request_key="rule:1", actor=BOSS)
    words = [one["origin_words"] for one in phone.get("/coupons?state=issued").data["coupons"]]
    assert words == ["会员专享", "导购李娜赠送"]


def test_one_coupon_has_its_terms_its_stores_and_its_history(phone: Phone, cast: Any) -> None:
    Product.objects.create(code="G1", name="礼品卡", created_at=clock.now())
    template = make_template(
        min_spend_fen=20_000, store_ids=(cast.store.id, cast.other_store.id), exclude_products=("G1",)
    )
    batch = make_batch(template_id=template)
    held = claim(phone, batch).data["coupon"]
    assert re.fullmatch(r"[0-9A-Za-z_-]{22}", held["id"])
    near = phone.get(f"/coupons/{held['id']}?latitude=23.1&longitude=113.3").data
    assert [store["name"] for store in near["stores"]] == ["天河路店", "南京东路店"]
    assert near["stores"][0]["distance_m"] < near["stores"][1]["distance_m"]
    assert near["store_count"] == 2
    assert near["terms"][0] == {"title": "使用门槛", "words": "满 200 元可用"}
    assert {"title": "适用商品", "words": "全部商品（不含 礼品卡）"} in near["terms"]
    plain = phone.get(f"/coupons/{held['id']}").data
    assert {store["distance_m"] for store in plain["stores"]} == {None}
    answer = phone.get(f"/coupons/{held['id']}?latitude=23.1")
    assert answer.data["details"] == {"fields": {"longitude": ["required"]}}
    code = Coupon.objects.get().code
    assert held["code_tail"] == code[-4:]
    assert code not in phone.get(f"/coupons/{held['id']}").content.decode()
    services.redeem_coupon(code=code, order=order(cast.store.id), request_id=key(), actor=BOSS)
    used = phone.get(f"/coupons/{held['id']}").data
    assert used["state"] == "redeemed"
    assert used["steps"][-1]["words"] == "南京东路店，优惠 30 元"


# The code for the till -------------------------------------------------------------------------------------


def test_the_code_on_her_screen_is_read_once_within_a_minute(phone: Phone) -> None:
    held = claim(phone, make_batch()).data["coupon"]["id"]
    shown = phone.post(f"/coupons/{held}/code").data
    assert re.fullmatch(r"81[0-9]{18}", shown["text"])
    assert (shown["qr"], shown["barcode"]) == ("", "")
    left = dt.datetime.fromisoformat(shown["expires_at"]) - clock.now()
    assert dt.timedelta(seconds=50) < left <= dt.timedelta(seconds=60)

    def read(text: str, request_key: str, **values: Any) -> str:
        try:
            return services.read_shown_code(text=text, request_key=request_key, actor=BOSS, **values).code
        except Refusal as refusal:
            return refusal.code

    code = Coupon.objects.get().code
    assert read(shown["text"], "till-1") == code
    assert read(shown["text"], "till-1") == code
    assert read(shown["text"], "till-2") == "coupons.code_unusable"
    fresh = phone.post(f"/coupons/{held}/code").data["text"]
    yesterday = phone.post(f"/coupons/{held}/code").data["text"]
    assert fresh != yesterday
    tomorrow = clock.now() + dt.timedelta(days=1)
    assert read(yesterday, "till-3", at=tomorrow) == "coupons.code_unusable"
    assert not CouponToken.objects.filter(code_index__contains=fresh[2:]).exists()


def test_the_pictures_hold_the_very_code(phone: Phone) -> None:
    from tests.core.test_barcodes import read, rendered_bars, rendered_rows

    held = claim(phone, make_batch()).data["coupon"]["id"]
    shown = phone.post(f"/coupons/{held}/code", {"pictures": True}).data
    bars, square = (base64.b64decode(shown[name].partition(",")[2]).decode() for name in ("barcode", "qr"))
    assert read(rendered_bars(bars)) == ("Code128", shown["text"])
    assert read(rendered_rows(square)) == ("QRCode", shown["text"])
    assert codes(phone.post(f"/coupons/{held}/code", {"pictures": "perhaps"})) == (400, "core.invalid_input")


# Gifts -----------------------------------------------------------------------------------------------------


def giftable(phone: Phone) -> str:
    batch = make_batch(template_id=make_template(gifting="anyone"))
    return str(claim(phone, batch).data["coupon"]["id"])


def test_a_coupon_goes_to_a_friend_and_is_hers_no_more(phone: Phone, friend: Phone) -> None:
    held = giftable(phone)
    offer = phone.post(f"/coupons/{held}/gift", {"request_key": "gift-0001"}).data
    assert phone.post(f"/coupons/{held}/gift", {"request_key": "gift-0001"}).data == offer
    mine = phone.get(f"/coupons/{held}").data
    assert (mine["state"], mine["gift_until"]) == ("gifting", offer["expires_at"])
    token = {"token": offer["token"]}
    assert phone.post("/gifts/preview", token).data["is_own"]
    seen = friend.post("/gifts/preview", token)
    assert (seen.data["is_own"], seen.data["title"]) == (False, "满减券")
    assert "code" not in seen.data
    assert codes(phone.post("/gifts/accept", token)) == (409, "coupons.own_gift")
    for _ in range(2):
        taken = friend.post("/gifts/accept", token).data
        assert (taken["id"], taken["origin_words"], taken["state"]) == (held, "好友赠送", "issued")
    assert codes(phone.get(f"/coupons/{held}")) == (404, "coupons.no_such_coupon")
    assert codes(friend.post("/gifts/preview", token)) == (409, "coupons.gift_gone")
    back = friend.post(f"/coupons/{held}/gift", {"request_key": "gift-0002"}).data
    assert friend.post(f"/coupons/{held}/gift/return").data["state"] == "issued"
    assert codes(phone.post("/gifts/accept", {"token": back["token"]})) == (409, "coupons.gift_gone")
    again = claim(phone, Coupon.objects.get().batch_id).data
    assert again == {"is_new": False, "coupon": None}


def test_of_two_friends_at_once_one_has_it(mini: Mini, phone: Phone, friend: Phone) -> None:
    third = mini.phone_of("小芳")
    third.log_in()
    offer = phone.post(f"/coupons/{giftable(phone)}/gift", {"request_key": "gift-0001"}).data
    token = {"token": offer["token"]}
    answers = at_once([partial(one.post, "/gifts/accept", token) for one in (friend, third)])
    assert sorted(answer.status_code for answer in answers) == [200, 409]


def test_a_gift_that_is_too_late_or_of_an_expired_coupon_is_gone(phone: Phone, friend: Phone) -> None:
    held = giftable(phone)
    offer = phone.post(f"/coupons/{held}/gift", {"request_key": "gift-0001", "hours": 1}).data
    token = {"token": offer["token"]}
    with time_machine.travel(clock.now() + dt.timedelta(minutes=61), tick=True):
        for one in (phone, friend):
            one.post("/refresh", {"refresh_token": one.refresh})
            one.log_in()
        assert codes(friend.post("/gifts/accept", token)) == (409, "coupons.gift_gone")
        assert codes(friend.post("/gifts/preview", token)) == (409, "coupons.gift_gone")
    with time_machine.travel(clock.now() + dt.timedelta(days=20), tick=True):
        phone.log_in()
        told = phone.post(f"/coupons/{giftable(phone)}/gift", {"request_key": "gift-0002"})
        assert told.status_code == 200
        assert codes(phone.post(f"/coupons/{held}/gift", {"request_key": "gift-0003"})) == (
            409,
            "coupons.coupon_expired",
        )
    assert codes(phone.post(f"/coupons/{held}/gift", {"request_key": "gift-0004", "hours": 169}))[0] in {
        400,
        401,
    }


# Exchange codes --------------------------------------------------------------------------------------------


def test_a_printed_code_becomes_a_coupon_once(phone: Phone, friend: Phone) -> None:
    batch = make_batch()
    first, _second, _third = make_codes(batch)
    body = {"code": f"{first[:4]}-{first[4:]}".lower(), "request_key": "exchange-1"}
    got = phone.post("/coupons/exchange", body).data
    assert (got["is_new"], got["coupon"]["origin_words"]) == (True, "兑换码兑换")
    again = phone.post("/coupons/exchange", body).data
    assert (again["is_new"], again["coupon"]) == (False, got["coupon"])
    assert codes(friend.post("/coupons/exchange", body)) == (409, "coupons.exchange_code_used")


def test_guessing_is_stopped_for_her_and_for_her_address(
    phone: Phone, friend: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = make_codes(make_batch())[0]

    def guess(one: Phone, code: str = UNKNOWN) -> Any:
        return one.post("/coupons/exchange", {"code": code, "request_key": "exchange-1"})

    monkeypatch.setattr(exchange_tries, "MOST_OF_MEMBER", 3)
    monkeypatch.setattr(exchange_tries, "MOST_OF_ADDRESS", 5)
    assert guess(phone).data["details"] == {"tries_left": 2}
    assert [codes(guess(phone))[0] for _ in range(3)] == [400, 400, 429]
    told = guess(phone, good)
    assert codes(told) == (429, "coupons.too_many_tries")
    assert int(told["Retry-After"]) == told.data["details"]["retry_after_s"] > 0
    assert [codes(guess(friend))[0] for _ in range(3)] == [400, 400, 429]


# Sharing to unlock -----------------------------------------------------------------------------------------


def test_a_friends_help_unlocks_the_sharers_coupon(mini: Mini, phone: Phone, friend: Phone) -> None:
    mine, theirs = make_batch(), make_batch(template_id=make_template(title="好友券"))
    offer = make_offer(mine, theirs, needed_count=2)
    [listed] = phone.get("/unlocks").data["offers"]
    assert (listed["id"], listed["share"], listed["friend_gets"]["title"]) == (offer, None, "好友券")
    started = phone.post(f"/unlocks/{offer}/start").data
    share = started["share"]
    assert phone.post(f"/unlocks/{offer}/start").data["share"]["id"] == share["id"]
    link = f"/unlock-shares/{share['id']}"
    assert friend.get(link).data["why_not"] == ""
    own = phone.get(link).data
    assert (own["is_own"], own["why_not"]) == (True, "coupons.own_share")
    assert codes(phone.post(f"{link}/help")) == (409, "coupons.own_share")
    helped = friend.post(f"{link}/help").data
    assert (helped["coupon"]["title"], helped["coupon"]["origin_words"]) == ("好友券", "好友助力")
    assert friend.post(f"{link}/help").data == {**helped, "is_new": False}
    assert friend.get(link).data["coupon_id"] == helped["coupon"]["id"]
    assert phone.get(f"/unlocks/{offer}").data["share"]["helper_count"] == 1
    third = mini.phone_of("小芳")
    third.log_in()
    third.post(f"{link}/help")
    done = phone.get(f"/unlocks/{offer}").data["share"]
    assert (done["state"], done["helper_count"], len(done["helped_at"])) == ("unlocked", 2, 2)
    assert phone.get(f"/coupons/{done['coupon_id']}").data["origin_words"] == "好友助力"
    assert friend.get(link).data["offer"]["share"]["coupon_id"] is None


# Who may see what ------------------------------------------------------------------------------------------


def test_another_members_ids_look_exactly_like_unknown_ones(phone: Phone, friend: Phone) -> None:
    held = giftable(phone)
    ways = [
        ("GET", "/coupons/{}", None),
        ("GET", "/coupons/{}?latitude=31&longitude=121", None),
        ("POST", "/coupons/{}/code", {}),
        ("POST", "/coupons/{}/gift", {"request_key": "gift-0001"}),
        ("POST", "/coupons/{}/gift/return", {}),
    ]
    from miniapp.urls import urlpatterns

    with_coupon = {str(one.pattern) for one in urlpatterns if "coupon_id" in str(one.pattern)}
    assert {
        path.replace("{}", "<veiled_id:coupon_id>").partition("?")[0].lstrip("/") for _, path, _ in ways
    } == with_coupon
    missing = [NOBODYS, seal_coupon_id(987_654), held]
    for method, path, body in ways:
        answers = [friend.ask(method, path.format(one), body) for one in missing]
        assert {answer.status_code for answer in answers} == {404}, path
        assert len({answer.content for answer in answers}) == 1, path
        assert phone.ask(method, path.format(held), body).status_code == 200, path
    gone = friend.post("/gifts/preview", {"token": "0" * 40})
    assert codes(gone) == (404, "coupons.no_such_gift")
    for method, path in (
        ("GET", f"/coupon-batches/{UNKNOWN}"),
        ("POST", f"/coupon-batches/{UNKNOWN}/claim"),
        ("GET", f"/unlocks/{UNKNOWN}"),
        ("POST", f"/unlocks/{UNKNOWN}/start"),
        ("GET", f"/unlock-shares/{UNKNOWN}"),
        ("POST", f"/unlock-shares/{UNKNOWN}/help"),
    ):
        assert (
            friend.ask(method, path, {"request_key": "claim-0001"} if "claim" in path else {}).status_code
            == 404
        )


def test_nothing_is_given_without_a_token(mini: Mini) -> None:
    stranger = mini.phone_of("生人")
    for path in ("/coupons", "/coupon-batches", "/unlocks"):
        assert codes(stranger.get(path)) == (401, "miniapp.token_missing")
    for path in ("/coupons/exchange", "/gifts/accept", f"/unlocks/{UNKNOWN}/start"):
        assert codes(stranger.post(path)) == (401, "miniapp.token_missing")


# What it costs ---------------------------------------------------------------------------------------------


def cost(phone: Phone, method: str, path: str, body: Any = None, budget: int = BUDGET) -> Any:
    with CaptureQueriesContext(connection) as ran:
        answer = phone.ask(method, path, body)
    assert answer.status_code == 200, (path, answer.data)
    told = [one["sql"][:140] for one in ran.captured_queries if not _BRACKETS.match(one["sql"])]
    assert len(told) <= budget, (path, len(told), "\n".join(told))
    return answer.data


def test_each_endpoint_keeps_to_its_queries_however_much_there_is(
    phone: Phone, friend: Phone, cast: Any
) -> None:
    member = member_of(phone)
    batches = [make_batch(template_id=make_template(gifting="anyone"), member_limit=30) for _ in range(4)]
    for number in range(24):
        services.issue_coupon(
            batch_id=batches[number % 4], member_id=member, request_key=f"q{number}", door="guide",
            guide_id=cast.lina.id, store_id=cast.store.id, actor=Actor.guide(cast.lina.id, "李娜"),
        )  # fmt: skip
    batch = link_of(batches[0])
    cost(phone, "GET", "/coupon-batches")
    cost(phone, "GET", f"/coupon-batches/{batch}")
    scene = get_guide_code(cast.lina.id).code
    body = {"request_key": "claim-0001", "scene": scene, "sharer": friend.get("/profile").data["id"]}
    held = cost(phone, "POST", f"/coupon-batches/{batch}/claim", body)["coupon"]["id"]
    cost(phone, "POST", "/coupons/exchange", {"code": make_codes(batches[1])[0], "request_key": "exchange-1"})
    page = cost(phone, "GET", "/coupons?limit=10")
    cost(phone, "GET", f"/coupons?limit=10&cursor={page['next_cursor']}")
    cost(phone, "GET", f"/coupons/{held}?latitude=31&longitude=121")
    cost(phone, "POST", f"/coupons/{held}/code", {"pictures": True})
    gift = cost(phone, "POST", f"/coupons/{held}/gift", {"request_key": "gift-0001"})
    cost(phone, "POST", f"/coupons/{held}/gift/return")
    gift = cost(phone, "POST", f"/coupons/{held}/gift", {"request_key": "gift-0002"})
    cost(friend, "POST", "/gifts/preview", {"token": gift["token"]})
    cost(friend, "POST", "/gifts/accept", {"token": gift["token"]})
    offer = make_offer(batches[2], batches[3], needed_count=2)
    share = cost(phone, "POST", f"/unlocks/{offer}/start")["share"]["id"]
    cost(friend, "GET", f"/unlock-shares/{share}")
    cost(friend, "POST", f"/unlock-shares/{share}/help")
    cost(phone, "GET", "/unlocks")
    cost(phone, "GET", f"/unlocks/{offer}")
    last = make_offer(batches[2], batches[3])
    share = cost(phone, "POST", f"/unlocks/{last}/start")["share"]["id"]
    # Who completes a link issues two coupons.
    cost(friend, "POST", f"/unlock-shares/{share}/help", budget=BUDGET + 6)
