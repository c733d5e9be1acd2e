"""A guide shows a code for some minutes; who scans it has a coupon, whatever gets lost on the way."""

import datetime as dt
import threading
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from pytest_django import Settings

from core import clock
from core.actor import Actor
from core.errors import Refusal
from coupons import handlers, selectors, services, tasks
from coupons.contracts import FaceToFaceCard
from coupons.models import Coupon, FaceToFaceClaim, FaceToFaceOffer, GuideAllowance
from coupons.services.holdings_doors import FaceToFaceHoldings
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.events import ChannelScanned
from members.models import Member
from tests.cast import Cast, make_follower, openid_of
from tests.coupons.kit import BOSS, check_counters, key, make_batch, make_template, terms
from tests.threads import at_once
from tests.wechat.gateway_out import Sandbox, sandbox, sandbox_url  # noqa: F401

GUIDE = Actor.guide(1, "李娜")
MINUTE = dt.timedelta(minutes=1)


def offer_to(cast: Cast, batch: int, *, at: dt.datetime | None = None, **values: Any) -> FaceToFaceCard:
    given: dict[str, Any] = {
        "batch_id": batch,
        "guide_id": cast.lina.id,
        "request_key": key(),
        "actor": GUIDE,
    }
    return services.open_face_to_face(**(given | values), at=at)


def scan(card: FaceToFaceCard, openid: str, *, at: dt.datetime | None = None, inbound: int = 0) -> int:
    """The push of a scan is worked off; the event that follows it is lost. The scan's id."""
    offer = FaceToFaceOffer.objects.get(public_id=card.public_id)
    account = apps.get_model("wechat", "Account").objects.get()
    result = guide_services.answer_scan(
        account_id=account.pk,
        app_id=account.app_id,
        openid=openid,
        unionid=None,
        scene=guide_selectors.get_channel_code(offer.channel_code_id).code,
        is_new_follower=False,
        inbound_id=inbound or int(key()[1:]) + 1_000,
        actor=Actor.wechat(),
        at=at,
    )
    return result.scan_id


def answer(scan_id: int, *, at: dt.datetime | None = None) -> str:
    return services.answer_face_to_face_scan(scan_id=scan_id, actor=BOSS, at=at)


def messages(openid: str) -> list[str]:
    """What waits for her, without the greetings."""
    rows = apps.get_model("wechat", "OutboundMessage").objects.filter(openid=openid).order_by("pk")
    return [row.payload["text"] for row in rows.exclude(reason_key__startswith="greet:")]


@pytest.mark.django_db
def test_a_scan_binds_her_and_brings_the_coupon_with_a_message(cast: Cast) -> None:
    batch = make_batch(template_id=make_template(title="礼券", min_spend_fen=20_000), guide_quota=5)
    card = offer_to(cast, batch)
    assert (card.is_open, card.claimed_count, card.value_words) == (True, 0, "满 200 元 减 30 元")
    scan_id = scan(card, cast.xiaoli_openid)
    assert answer(scan_id) == answer(scan_id) == "issued"
    coupon = Coupon.objects.get()
    assert (coupon.member_id, coupon.door) == (cast.xiaoli.id, "face_to_face")
    assert (coupon.issued_by_guide_id, coupon.issued_store_id) == (cast.lina.id, cast.store.id)
    live = guide_selectors.find_live_binding(cast.xiaoli.id)
    assert live is not None
    assert live.guide_name == "李娜"
    [text] = messages(cast.xiaoli_openid)
    assert text.startswith("「礼券」已经放进您的券包。\n满 200 元 减 30 元\n20")
    assert selectors.get_guide_quota(batch_id=batch, guide_id=cast.lina.id).used_count == 1
    card = selectors.access_face_to_face(public_id=card.public_id, guide_id=cast.lina.id)
    assert (card.claimed_count, card.refused_count) == (1, 0)
    assert [name for name, _at in card.last_claims] == ["小丽"]
    assert answer(scan(card, cast.xiaoli_openid)) == "repeated"
    assert messages(cast.xiaoli_openid)[1:] == ["您已经领过这张券了，一人一张，在您的券包里。"]
    check_counters(batch)


@pytest.mark.django_db
def test_a_new_follower_is_registered_bound_and_gets_it(cast: Cast) -> None:
    card = offer_to(cast, make_batch())
    assert answer(scan(card, openid_of("new"))) == "issued"
    member = Coupon.objects.get().member
    assert guide_selectors.find_live_binding(member.pk) is not None
    assert len(messages(openid_of("new"))) == 1


@pytest.mark.django_db
def test_another_guides_member_keeps_her_guide_and_her_name_is_masked(cast: Cast) -> None:
    """Also the store's code of the giver's quota: what is issued is the offering guide's."""
    card = offer_to(cast, make_batch(), guide_id=cast.wangfang.id)
    assert answer(scan(card, cast.xiaomei_openid)) == "issued"
    live = guide_selectors.find_live_binding(cast.xiaomei.id)
    assert live is not None
    assert live.guide_name == "李娜"
    card = selectors.access_face_to_face(public_id=card.public_id, guide_id=cast.wangfang.id)
    assert [name for name, _at in card.last_claims] == ["小**"]


@pytest.mark.django_db
def test_an_offer_is_its_guides_alone_and_opened_once_per_request(cast: Cast) -> None:
    batch, other = make_batch(), make_batch()
    card = offer_to(cast, batch, request_key="tap-1")
    assert offer_to(cast, batch, request_key="tap-1").public_id == card.public_id
    with pytest.raises(Refusal) as caught:
        offer_to(cast, other, request_key="tap-1")
    assert caught.value.code == "coupons.request_reused"
    for call in (selectors.access_face_to_face, partial(services.close_face_to_face, actor=GUIDE)):
        for public_id, guide_id in ((card.public_id, cast.wangfang.id), ("\0nobody", cast.lina.id)):
            with pytest.raises(Refusal) as caught:
                call(public_id=public_id, guide_id=guide_id)
            assert caught.value.code == "coupons.no_such_offer"
    again = offer_to(cast, batch)
    assert not selectors.access_face_to_face(public_id=card.public_id, guide_id=cast.lina.id).is_open
    assert again.is_open


@pytest.mark.django_db
def test_what_a_guide_may_offer_and_why_not(cast: Cast) -> None:
    batch = make_batch(3, guide_quota=1, name="一")
    wrong = make_batch(doors=("claim",), name="二")
    paused = make_batch(name="三")
    services.pause_batch(batch_id=paused, actor=BOSS)
    soon = make_batch(opens_at=clock.now() + MINUTE, name="四")
    lines = selectors.list_guide_batches(guide_id=cast.lina.id, door="face_to_face")
    assert [(line.batch.terms.name, line.why_not) for line in lines] == [
        ("一", ""), ("三", "coupons.batch_paused"), ("四", "coupons.batch_not_started"),
    ]  # fmt: skip
    assert (lines[0].remaining_count, lines[0].quota.remaining_count) == (3, 1)
    answer(scan(offer_to(cast, batch), cast.xiaoli_openid))
    line = selectors.list_guide_batches(guide_id=cast.lina.id, door="face_to_face")[0]
    assert (line.remaining_count, line.quota.remaining_count) == (2, 0)
    assert line.why_not_words == "您这个周期的发券额度已经用完"
    ended = make_batch()
    services.end_batch(batch_id=ended, actor=BOSS)
    refused = {
        batch: "coupons.guide_quota_spent",
        wrong: "coupons.wrong_door",
        paused: "coupons.batch_paused",
        soon: "coupons.batch_not_started",
        ended: "coupons.batch_ended",
        make_batch(is_open=False): "coupons.batch_not_open",
        10**9: "coupons.no_such_batch",
    }
    for batch_id, code in refused.items():
        with pytest.raises(Refusal) as caught:
            offer_to(cast, batch_id)
        assert caught.value.code == code
    guide_services.leave_guide(guide_id=cast.wangfang.id, actor=BOSS)
    with pytest.raises(Refusal) as caught:
        offer_to(cast, make_batch(), guide_id=cast.wangfang.id)
    assert caught.value.code == "guides.guide_has_left"


@pytest.mark.django_db
def test_the_moment_of_the_scan_counts_and_not_when_we_hear_of_it(cast: Cast, settings: Settings) -> None:
    settings.FACE_TO_FACE_MINUTES = 5
    batch, now = make_batch(at=clock.now() - 20 * MINUTE), clock.now()
    card = offer_to(cast, batch, at=now - 6 * MINUTE)
    assert card.expires_at == now - MINUTE
    in_time = scan(card, cast.xiaoli_openid, at=now - 2 * MINUTE)
    too_late = scan(card, openid_of("late"), at=now - MINUTE / 2)
    assert (answer(in_time), answer(too_late)) == ("issued", "late")
    assert messages(openid_of("late")) == ["这次面对面发券已经结束了，想要券请让导购重新出示。"]
    # The picture still finds the guide: she was greeted and bound as by any code of hers.
    greeted = apps.get_model("wechat", "OutboundMessage").objects.filter(openid=openid_of("late"))
    assert "李娜" in greeted.get(reason_key__startswith="greet:").payload["text"]
    assert Coupon.objects.count() == 1


@pytest.mark.django_db
def test_a_closed_offer_brings_nothing_but_keeps_what_was_scanned_before(cast: Cast) -> None:
    now = clock.now()
    card = offer_to(cast, make_batch(at=now - 9 * MINUTE), at=now - 5 * MINUTE)
    before = scan(card, cast.xiaoli_openid, at=now - 3 * MINUTE)
    closed = services.close_face_to_face(
        public_id=card.public_id, guide_id=cast.lina.id, actor=GUIDE, at=now - 2 * MINUTE
    )
    assert not closed.is_open
    after = scan(card, cast.xiaomei_openid, at=now - MINUTE)
    assert (answer(before), answer(after)) == ("issued", "late")
    again = services.close_face_to_face(public_id=card.public_id, guide_id=cast.lina.id, actor=GUIDE)
    assert again.claimed_count == 1
    assert FaceToFaceOffer.objects.get().closed_at == now - 2 * MINUTE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"quota": 1}, "coupons.batch_sold_out", "这张券没有领到：券已经领完了。"),
        ({"guide_quota": 1}, "coupons.guide_quota_spent", "问问其他导购"),
    ],
)
def test_who_gets_none_is_told_why(cast: Cast, values: dict[str, Any], code: str, words: str) -> None:
    quota = values.pop("quota", 10)
    batch = make_batch(quota, **values)
    card = offer_to(cast, batch)
    assert answer(scan(card, cast.xiaomei_openid)) == "issued"
    assert answer(scan(card, cast.xiaoli_openid)) == "refused"
    assert FaceToFaceClaim.objects.get(outcome="refused").reason == code
    assert words in messages(cast.xiaoli_openid)[0]
    assert answer(scan(card, cast.xiaoli_openid)) == "refused"
    card = selectors.access_face_to_face(public_id=card.public_id, guide_id=cast.lina.id)
    assert (card.claimed_count, card.refused_count) == (1, 1)
    check_counters(batch)


@pytest.mark.django_db
def test_limit_and_tier_hold_at_this_door_too(cast: Cast) -> None:
    batch = make_batch(member_limit=1)
    assert answer(scan(offer_to(cast, batch), cast.xiaoli_openid)) == "issued"
    assert answer(scan(offer_to(cast, batch), cast.xiaoli_openid)) == "refused"
    only = make_batch(template_id=services.create_template(terms=terms(tier_ids=(1,)), actor=BOSS).id)
    assert answer(scan(offer_to(cast, only), cast.xiaoli_openid)) == "refused"
    reasons = (
        FaceToFaceClaim.objects.filter(outcome="refused").order_by("pk").values_list("reason", flat=True)
    )
    assert list(reasons) == ["coupons.over_member_limit", "coupons.wrong_tier"]


@pytest.mark.django_db
def test_a_lost_event_is_mended_once_and_old_news_is_dropped_with_its_reason(cast: Cast) -> None:
    now = clock.now()
    card = offer_to(cast, make_batch(at=now - 30 * MINUTE), at=now - 9 * MINUTE)
    scan(card, cast.xiaoli_openid, at=now - 5 * MINUTE)
    mend = partial(services.mend_face_to_face, actor=BOSS)
    assert mend(at=now - 5 * MINUTE) == 0  # its own event may be on the way
    assert (mend(), mend()) == (1, 0)
    assert Coupon.objects.count() == 1
    [message] = apps.get_model("wechat", "OutboundMessage").objects.filter(reason_key__startswith="coupon:")
    assert message.window_until <= now  # the gateway will drop it: window closed


@pytest.mark.django_db
def test_the_handler_answers_scans_of_offers_only(cast: Cast) -> None:
    card = offer_to(cast, make_batch())
    scan_id = scan(card, cast.xiaoli_openid)
    other = guide_services.resolve_scan(
        member_id=cast.xiaoli.id,
        scene=guide_selectors.get_guide_code(cast.lina.id).code,
        is_new_follower=False,
        request_key=key(),
        actor=BOSS,
    )
    handlers.on_channel_scanned(ChannelScanned(other.scan_id, cast.xiaoli.id, 1, ""))
    assert services.answer_face_to_face_scan(scan_id=other.scan_id, actor=BOSS) == ""
    assert not Coupon.objects.exists()
    for _twice in range(2):
        handlers.on_channel_scanned(ChannelScanned(scan_id, cast.xiaoli.id, 1, "face_to_face"))
    assert Coupon.objects.count() == 1


@pytest.mark.django_db
def test_the_guides_own_code_is_never_that_of_an_offer(cast: Cast) -> None:
    before = guide_selectors.get_guide_code(cast.lina.id)
    offer_to(cast, make_batch())
    assert guide_selectors.get_guide_code(cast.lina.id) == before


@pytest.mark.django_db
def test_two_rows_of_one_person_have_one_coupon_of_an_offer(cast: Cast) -> None:
    card = offer_to(cast, make_batch())
    assert answer(scan(card, cast.xiaoli_openid)) == "issued"
    holdings = FaceToFaceHoldings()
    Member.objects.filter(pk=cast.xiaoli.id).update(merged_into_id=cast.xiaomei.id)
    parts = {"emptier_id": cast.xiaoli.id, "survivor_id": cast.xiaomei.id, "actor": BOSS, "at": clock.now()}
    snapshot = holdings.move(**parts)  # type: ignore[arg-type]
    assert answer(scan(card, cast.xiaomei_openid)) == "repeated"
    [row, _second] = holdings.export(cast.xiaomei.id)["面对面领取"]
    assert row["结果"] == "领到"
    holdings.restore(**parts, snapshot=snapshot)  # type: ignore[arg-type]
    assert FaceToFaceClaim.objects.filter(member_id=cast.xiaoli.id).count() == 1
    assert holdings.erase(member_id=cast.xiaoli.id, actor=BOSS, at=clock.now()) == 0


@pytest.mark.django_db(transaction=True)
def test_two_scans_of_one_member_at_once_are_one_coupon(cast: Cast) -> None:
    batch = make_batch()
    card = offer_to(cast, batch)
    scans = [scan(card, cast.xiaoli_openid) for _ in range(4)]
    answers = at_once([partial(answer, scan_id) for scan_id in [*scans, *scans]])
    assert sorted(set(answers)) == ["issued", "repeated"]
    assert Coupon.objects.filter(batch_id=batch).count() == 1
    assert FaceToFaceClaim.objects.filter(outcome="issued").count() == 1
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_with_a_key_for_each_scan_two_scans_would_be_two_coupons(cast: Cast) -> None:
    """Why the request key names the offer."""
    batch = make_batch()
    scans = [scan(offer_to(cast, batch), cast.xiaoli_openid) for _ in range(2)]
    looked = threading.Barrier(2)

    def careless(scan_id: int) -> None:
        assert not Coupon.objects.filter(batch_id=batch).exists()
        looked.wait(timeout=30)
        services.issue_coupon(
            batch_id=batch,
            member_id=cast.xiaoli.id,
            request_key=f"scan:{scan_id}",
            door="face_to_face",
            guide_id=cast.lina.id,
            actor=BOSS,
        )

    at_once([partial(careless, scan_id) for scan_id in scans])
    assert Coupon.objects.filter(batch_id=batch).count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_last_piece_of_her_quota_goes_to_one_of_many(cast: Cast) -> None:
    batch = make_batch(guide_quota=1)
    card = offer_to(cast, batch)
    people = [openid_of(f"p{number}") for number in range(6)]
    for openid in people:
        make_follower("顾客", openid)
    scans = [scan(card, openid) for openid in people]
    answers = at_once([partial(answer, scan_id) for scan_id in scans])
    assert sorted(answers) == ["issued"] + ["refused"] * 5
    assert GuideAllowance.objects.get().used_count == 1
    check_counters(batch)


@pytest.mark.django_db(transaction=True)
def test_without_the_guarded_count_two_would_take_her_last_piece(cast: Cast) -> None:
    allowance = GuideAllowance.objects.create(
        batch_id=make_batch(guide_quota=1),
        guide_id=cast.lina.id,
        period_start="1970-01-01",
        allowed_count=1,
    )
    looked = threading.Barrier(2)

    def careless() -> bool:
        row = GuideAllowance.objects.get(pk=allowance.pk)
        may = row.used_count < row.allowed_count
        looked.wait(timeout=30)
        row.used_count += 1
        row.save(update_fields=["used_count"])
        return may

    assert at_once([careless, careless]) == [True, True]


def test_an_offers_qr_is_temporary_costs_no_permanent_code_and_is_fetched_again_when_lost(
    sandbox: Sandbox,  # noqa: F811
) -> None:
    from tests.cast import make_guide
    from tests.coupons.kit import make_shop
    from wechat.services import accounts, qrcodes

    guide = make_guide("F001", "李娜", make_shop())
    batch = make_batch(at=clock.now() - 5 * MINUTE)
    given: dict[str, Any] = {"batch_id": batch, "guide_id": guide.id, "actor": GUIDE}
    card = services.open_face_to_face(**given, request_key=key(), at=clock.now() - MINUTE)
    assert card.qr_content == ""
    assert (tasks.mend_face_to_face(), tasks.mend_face_to_face()) == (1, 0)
    card = selectors.access_face_to_face(public_id=card.public_id, guide_id=guide.id)
    assert card.qr_content.startswith("http://weixin.qq.com/q/")
    assert qrcodes.get_code_budget(accounts.get_default_official().id).spent_count == 0
    calls = sandbox.ask("GET", "/calls")["calls"]
    assert (
        len([call for call in calls if call.get("app_id") == sandbox.app_id and "qrcode" in call["path"]])
        == 1
    )
    # The renewal of printed codes leaves it alone: its ticket lives as long as the code.
    hers = guide_selectors.get_guide_code(guide.id)
    assert guide_services.renew_channel_codes() == 1
    assert guide_selectors.get_guide_code(guide.id).qr_content != hers.qr_content
