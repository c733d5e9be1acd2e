"""Links are opened: views, visitors, whom it tells, what it proves for the guide, and what came of it."""

import datetime as dt
from typing import Any

import pytest

from campaigns import tasks
from campaigns.contracts.materials import MaterialNumbers
from campaigns.errors import NoSuchMaterial
from campaigns.events import MaterialShared
from campaigns.handlers import on_consent_withdrawn, on_material_shared
from campaigns.models import MaterialReader, MaterialShare, MaterialVisit
from campaigns.selectors.material_numbers import count_material_views, sum_material, sum_shares
from campaigns.services import material_openings, material_shares
from campaigns.services.holdings_materials import MaterialHoldings
from core import clock
from core.actor import Actor
from coupons import services as coupon_services
from coupons.models import CouponBatch
from guides import services as guide_services
from members import services as member_services
from members.events import ConsentWithdrawn
from members.models import MemberIdentity
from sales import selectors as sale_selectors
from sales import services as sale_services
from sales.models import PerformanceEntry
from tests.campaigns.material_kit import (
    DAY,
    HALF_AN_HOUR,
    browser,
    counts,
    log_in_guide,
    make_material,
    member,
    opened,
    share_of,
    wechat,
)
from tests.cast import DIRECTOR, Cast
from tests.coupons.kit import make_batch
from tests.members import privacy_kit
from tests.members.merge_kit import customer, merge, undo
from tests.sales.kit import assert_totals_agree, back, key_of, ledger, line, order, tell
from tests.threads import at_once

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 3, 11, 4, tzinfo=dt.UTC)
STRANGER = "ostranger0000000000000000001"


def shared_days(**where: Any) -> list[tuple[int | None, int, str]]:
    """Whom the ledger counts a shared material for."""
    rows = PerformanceEntry.objects.filter(metric="share_count", **where).order_by("pk")
    return [(row.guide_id, row.value, f"{row.due_on:%m-%d}") for row in rows]


def count_all(at: dt.datetime | None = None) -> int:
    return material_shares.count_open_shares(at=at or clock.now() + dt.timedelta(minutes=1))


def test_opened_again_within_half_an_hour_it_is_the_same_view(cast: Cast) -> None:
    share = share_of(make_material(at=NOON - DAY), cast.lina)
    answers = [
        opened(share, wechat(STRANGER), NOON + after)
        for after in (dt.timedelta(), HALF_AN_HOUR - dt.timedelta(seconds=1), HALF_AN_HOUR, DAY)
    ]
    assert answers == [True, False, True, True]
    assert counts(share) == (3, 1)
    opened(share, browser("a cookie"), NOON)
    opened(share, browser("another cookie"), NOON)
    assert counts(share) == (5, 3)
    assert MaterialVisit.objects.count() == 4  # one a reader and day


def test_over_midnight_it_is_still_the_same_view(cast: Cast) -> None:
    late = dt.datetime(2026, 3, 11, 15, 50, tzinfo=dt.UTC)  # 23:50 in Shanghai
    share = share_of(make_material(at=NOON - DAY), cast.lina)
    assert opened(share, wechat(STRANGER), late)
    assert not opened(share, wechat(STRANGER), late + dt.timedelta(minutes=20))
    assert opened(share, wechat(STRANGER), late + dt.timedelta(minutes=40))
    assert [f"{on:%d}" for on in MaterialVisit.objects.order_by("on").values_list("on", flat=True)] == [
        "11",
        "12",
    ]
    assert counts(share) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_the_same_opening_many_times_at_once_is_one_view_and_one_share(cast: Cast) -> None:
    share = share_of(make_material(), cast.lina)
    at = clock.now()
    answers = at_once([lambda: opened(share, wechat(STRANGER), at)] * 8)
    assert sorted(answers) == [False] * 7 + [True]
    assert counts(share) == (1, 1)
    [visit] = MaterialVisit.objects.all()
    assert at_once([lambda: material_shares.count_share(visit_id=visit.pk)] * 8).count(True) == 1
    assert shared_days() == [(cast.lina.id, 1, f"{clock.business_day(at):%m-%d}")]


@pytest.mark.django_db(transaction=True)
def test_one_person_opens_all_of_a_guides_links_at_once_and_proves_one(cast: Cast) -> None:
    shares = [share_of(make_material(title=f"第{n}份"), cast.lina) for n in range(6)]
    answers = at_once([lambda share=share: opened(share, wechat(STRANGER)) for share in shares])  # type: ignore[misc]
    assert answers == [True] * 6
    assert MaterialVisit.objects.filter(carries=True).count() == 1
    assert MaterialReader.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_people_open_one_link_at_once_and_it_is_shared_once(cast: Cast) -> None:
    share = share_of(make_material(), cast.lina)
    answers = at_once([lambda n=n: opened(share, wechat(f"o-number-{n}")) for n in range(8)])  # type: ignore[misc]
    assert answers == [True] * 8
    assert counts(share) == (8, 8)
    assert MaterialVisit.objects.filter(carries=True).count() == 1


def test_guides_accounts_count_nowhere(cast: Cast) -> None:
    """Neither her own nor a colleague's, nor her own as the member she is as well."""
    share = share_of(make_material(), cast.lina)
    log_in_guide(cast.lina, cast.xiaoli_openid)
    log_in_guide(cast.wangfang, STRANGER)
    assert not opened(share, wechat(cast.xiaoli_openid))
    assert not opened(share, wechat(STRANGER))
    assert not opened(share, member(cast.xiaoli.id))
    assert counts(share) == (0, 0)
    assert not MaterialReader.objects.exists()
    assert opened(share, wechat(cast.xiaomei_openid))


def test_a_browser_is_a_visitor_and_proves_nothing(cast: Cast) -> None:
    """Cookies can be thrown away as often as one likes; WeChat accounts cannot."""
    share = share_of(make_material(), cast.lina)
    for number in range(5):
        assert opened(share, browser(f"private window {number}"))
    assert counts(share) == (5, 5)
    assert count_all() == 0
    assert shared_days() == []


def test_a_share_counts_once_a_day_and_each_reader_for_one_link(cast: Cast) -> None:
    pk, other = make_material(title="一", at=NOON - DAY), make_material(title="二", at=NOON - DAY)
    first, second = share_of(pk, cast.lina), share_of(other, cast.lina)
    opened(first, wechat(STRANGER), NOON)
    opened(first, wechat("osomebody"), NOON)
    opened(second, wechat(STRANGER), NOON)  # proved the first one today
    assert MaterialVisit.objects.filter(carries=True).count() == 1
    opened(second, wechat("osomebody"), NOON)
    opened(share_of(pk, cast.wangfang), wechat(STRANGER), NOON)  # another guide's
    opened(first, wechat(STRANGER), NOON + DAY)
    assert count_all() == 4
    assert shared_days(guide_id=cast.lina.id) == [
        (cast.lina.id, 1, "03-11"), (cast.lina.id, 1, "03-11"), (cast.lina.id, 1, "03-12"),
    ]  # fmt: skip
    assert shared_days(guide_id=cast.wangfang.id) == [(cast.wangfang.id, 1, "03-11")]
    assert count_all() == 0
    assert_totals_agree()


def test_the_metric_is_offered_and_says_what_stands_behind_it(cast: Cast) -> None:
    assert "share_count" in sale_selectors.list_offered_metrics()
    opened(share_of(make_material(), cast.lina), wechat(STRANGER))
    [visit] = MaterialVisit.objects.all()
    on_material_shared(MaterialShared(visit_id=visit.pk))
    span = sale_selectors.span_of("day", clock.today())
    [fact] = sale_selectors.list_guide_facts(cast.lina.id, span, metric="share_count").lines
    note = sale_selectors.describe_facts([(fact.kind, fact.ref)])[(fact.kind, fact.ref)]
    assert (note.kind, note.member_id, note.words) == ("share", None, "初秋通勤三件套")
    assert ledger(guide_id=cast.lina.id)["share_count"] == 1


def test_a_lost_event_is_made_up_for_and_a_doubled_one_does_nothing(cast: Cast) -> None:
    opened(share_of(make_material(), cast.lina), wechat(STRANGER))
    [visit] = MaterialVisit.objects.all()
    assert (visit.carries, visit.counted_at) == (True, None)
    MaterialVisit.objects.update(first_at=clock.now() - dt.timedelta(minutes=1))
    assert tasks.count_shares() == 1
    for _again in range(2):
        on_material_shared(MaterialShared(visit_id=visit.pk))
    assert tasks.count_shares() == 0
    # Written, and the worker died before it noted that.
    MaterialVisit.objects.update(counted_at=None)
    assert tasks.count_shares() == 0
    assert len(shared_days()) == 1
    assert MaterialVisit.objects.get().counted_at is not None


def test_links_of_who_left_go_on_and_count_for_the_store(cast: Cast) -> None:
    share = share_of(make_material(at=NOON - DAY), cast.lina)
    guide_services.leave_guide(guide_id=cast.lina.id, actor=DIRECTOR)
    assert opened(share, wechat(STRANGER), clock.now() + DAY)
    assert count_all(clock.now() + 2 * DAY) == 1
    [entry] = PerformanceEntry.objects.filter(metric="share_count")
    assert (entry.guide_id, entry.store_id) == (None, cast.store.id)
    assert counts(share) == (1, 1)


def test_what_came_of_a_link(cast: Cast) -> None:
    now = clock.now()
    batch = make_batch()
    pk = make_material(batch_id=batch, at=now - 20 * DAY)
    share = share_of(pk, cast.lina, at=now - 20 * DAY)
    opened(share, wechat(cast.xiaomei_openid), now - 10 * DAY)
    opened(share, wechat(cast.xiaomei_openid), now - 9 * DAY)  # both lead to the order: it counts once
    opened(share, browser("a cookie"), now - 9 * DAY)
    opened(share_of(pk, cast.wangfang), wechat(cast.xiaoli_openid), now - DAY)
    coupon_services.claim_from_link(
        batch_public_id=CouponBatch.objects.get(pk=batch).public_id,
        member_id=cast.xiaomei.id,
        request_key="claim-once",
        article=share.token,
        actor=Actor.member(cast.xiaomei.id),
    )
    she = key_of(cast.xiaomei)
    tell(
        order("BEFORE", line(amount_fen=7_700), member=she, sold_at=now - 11 * DAY),
        order(
            "O1",
            line(amount_fen=10_000),
            line(code="B2", amount_fen=5_000),
            member=she,
            sold_at=now - 5 * DAY,
        ),
        order("LATE", line(amount_fen=900), member=she, sold_at=now - dt.timedelta(minutes=9)),
        order(
            "OTHER", line(amount_fen=8_000), member=key_of(cast.xiaoli), sold_at=now - dt.timedelta(hours=1)
        ),
        order("NOBODY", line(amount_fen=4_000), sold_at=now - 5 * DAY),
    )
    assert sum_shares([share.id]) == MaterialNumbers(3, 2, 1, 1, 15_000)
    tell(back())  # 100 of the 150 come back
    assert sum_shares([share.id]) == MaterialNumbers(3, 2, 1, 1, 5_000)
    assert sum_material(pk) == MaterialNumbers(4, 3, 1, 2, 13_000)
    assert count_material_views([pk]) == {pk: (2, 4, 3)}
    assert sum_shares([]) == MaterialNumbers()


def test_who_becomes_known_is_one_visitor(cast: Cast) -> None:
    """First an openid that nobody has, then a member's, then she comes by the mini-program."""
    share = share_of(make_material(at=NOON - DAY), cast.lina)
    opened(share, wechat(STRANGER), NOON)
    MemberIdentity.objects.create(
        member_id=cast.xiaoli.id, kind="openid", app_id=cast.app_id, value=STRANGER, linked_at=NOON
    )
    opened(share, wechat(STRANGER), NOON + DAY)
    opened(share, member(cast.xiaoli.id), NOON + 2 * DAY)
    opened(share, wechat(cast.xiaoli_openid), NOON + 3 * DAY)
    assert counts(share) == (4, 1)
    assert MaterialReader.objects.get().member_id == cast.xiaoli.id


def test_openings_follow_a_merge_and_come_back(cast: Cast) -> None:
    share = share_of(make_material(), cast.lina)
    she, again = customer("13900001111"), customer("13900002222")
    opened(share, member(she.id))
    opened(share, member(again.id))
    record = merge(she.id, again.id)
    living = record.survivor_id
    assert set(MaterialReader.objects.values_list("member_id", flat=True)) == {living}
    later = clock.now() + DAY
    opened(share, member(she.id), later)
    assert MaterialReader.objects.count() == 2
    undo(record)
    assert set(MaterialReader.objects.values_list("member_id", flat=True)) == {she.id, again.id}


def test_a_copy_tells_her_and_an_erasure_leaves_counts_only(cast: Cast) -> None:
    share = share_of(make_material(at=NOON - DAY), cast.lina)
    opened(share, wechat(cast.xiaomei_openid), NOON)
    # Before it was known whose account that is.
    opened(share, wechat(STRANGER), NOON)
    MemberIdentity.objects.create(
        member_id=cast.xiaomei.id, kind="openid", app_id=cast.app_id, value=STRANGER, linked_at=NOON
    )
    assert MaterialHoldings().export(cast.xiaomei.id) == {
        "看过的素材": [{"素材": "初秋通勤三件套", "首次打开": NOON.isoformat(), "次数": 1}]
    }
    keys = set(MaterialReader.objects.values_list("key", flat=True))
    member_services.erase_member(member_id=cast.xiaomei.id, reason="own_wish", actor=DIRECTOR)
    assert counts(share) == (2, 2)
    assert not keys & set(MaterialReader.objects.values_list("key", flat=True))
    assert set(MaterialReader.objects.values_list("member_id", flat=True)) == {None}
    with pytest.raises(NoSuchMaterial):
        opened(share, member(cast.xiaomei.id))


def test_nobody_knows_what_she_opened_who_does_not_agree(cast: Cast) -> None:
    privacy_kit.consent_texts()
    she = customer("13900001111")
    share = share_of(make_material(), cast.lina)
    said: dict[str, Any] = {"member_id": she.id, "kind": "recommendation", "door": "mini_program"}
    opened(share, member(she.id))
    assert counts(share) == (1, 1)
    assert MaterialReader.objects.get().member_id is None  # was asked and has not said yes
    member_services.agree_consent(**said, version=1, actor=Actor.member(she.id))
    opened(share, member(she.id), clock.now() + DAY)
    assert MaterialReader.objects.get().member_id == she.id
    member_services.withdraw_consent(**said, actor=Actor.member(she.id))
    on_consent_withdrawn(ConsentWithdrawn(member_id=she.id, kind="recommendation"))
    assert MaterialReader.objects.get().member_id is None
    # The event may be lost.
    MaterialReader.objects.update(member_id=she.id)
    assert tasks.forget_readers() == 1
    assert MaterialReader.objects.get().member_id is None
    assert counts(share) == (2, 1)


def test_who_opened_nothing_for_over_a_year_is_told_by_nothing(cast: Cast) -> None:
    now = clock.now()
    share = share_of(make_material(at=now - 500 * DAY), cast.lina)
    opened(share, wechat(STRANGER), now - 401 * DAY)
    opened(share, browser("a cookie"), now - 399 * DAY)
    kept = MaterialReader.objects.get(is_known=False).key
    assert material_openings.forget_readers() == 1
    assert material_openings.forget_readers() == 0
    assert set(MaterialReader.objects.values_list("key", flat=True)) > {kept}
    assert opened(share, wechat(STRANGER), now)
    assert counts(share) == (3, 3)


def test_nothing_that_is_kept_is_an_openid(cast: Cast) -> None:
    share = share_of(make_material(), cast.lina)
    opened(share, wechat(STRANGER))
    opened(share, wechat(cast.xiaomei_openid))
    kept = str([list(model.objects.values()) for model in (MaterialReader, MaterialVisit, MaterialShare)])
    assert STRANGER not in kept
    assert cast.xiaomei_openid not in kept


def test_a_closed_month_takes_the_share_on_its_first_open_day(cast: Cast) -> None:
    """As all facts do: the ledger decides, not the material."""
    day = clock.business_day(NOON)
    opened(share_of(make_material(at=NOON - DAY), cast.lina), wechat(STRANGER), NOON)
    sale_services.close_month(month_on=day.replace(day=1), actor=DIRECTOR)
    assert count_all() == 1
    [entry] = PerformanceEntry.objects.filter(metric="share_count")
    assert (entry.due_on, entry.booked_on > day) == (day, True)
