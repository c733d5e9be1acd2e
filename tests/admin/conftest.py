"""Staff at their desks, and a chain in which every table of the admin has a row."""

import dataclasses
import datetime as dt
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pytest_django import DjangoDbBlocker

from campaigns.services.contacts import count_contacts
from core import clock
from core.actor import Actor
from core.models import ExportJob, StaffAccount
from coupons import selectors as coupon_selectors
from coupons import services as coupon_services
from coupons.contracts import (
    BatchTerms,
    ExchangeTerms,
    PolicyTerms,
    StandingTerms,
    TemplateTerms,
    UnlockTerms,
)
from coupons.models import PointsPayment, VoidJob
from coupons.services import Order
from guides import services as guide_services
from guides.models import BindingPolicy, ChannelCode
from guides.selectors import get_guide_code
from members import services as member_services
from members.contracts import TierDecisions, TierTerms
from members.models import BehaviourPolicy, EarningRule, MultiplierRule, PointsSettings, PrivacySettings
from openapi import services as openapi_services
from openapi.contracts import ClientTerms
from openapi.models import ApiRequest
from sales import selectors as sales_selectors
from sales import services as sales_services
from sales.contracts import TargetEntry, TargetKey
from tests.admin.account_kit import fill_account
from tests.admin.journey_kit import fill_journeys
from tests.admin.proof_kit import fill_proof
from tests.admin.reach_kit import fill_campaigns, fill_reaches, fill_rounds
from tests.admin.sales_desk_kit import fill_sales
from tests.campaigns.material_kit import make_material, opened, share_of, wechat
from tests.cast import Cast, make_cast
from tests.fixtures_cast import cast  # noqa: F401
from tests.guides.requests_kit import ask, make_kinds
from tests.kept_rows import kept_rows
from tests.members import behaviours_kit
from tests.members.import_kit import check, person, run, text_of, upload
from tests.members.privacy_kit import consent_texts
from tests.sales import import_kit as intake_kit
from tests.sales.commission_kit import close as close_commission_month
from tests.sales.commission_kit import rule as commission_rule
from tests.sales.kit import order as sale_order
from tests.sales.kit import tell
from tests.sales.reviews_kit import ask_at_once, make_review
from tests.wechat.gateway_out import sandbox, sandbox_account, sandbox_url  # noqa: F401


@pytest.fixture
def desk(cast: Cast, client: Client) -> Client:  # noqa: F811
    """Head office, logged in."""
    client.force_login(cast.head_office)
    return client


@pytest.fixture
def east_desk(cast: Cast) -> Client:  # noqa: F811
    """The eastern region's account with the rights on guides, stores, members, codes and bindings."""
    permissions = Permission.objects.filter(content_type__app_label__in=["guides", "members"])
    cast.regional.user_permissions.set(permissions)
    client = Client()
    client.force_login(cast.regional)
    return client


def fill_points(cast: Cast) -> None:  # noqa: F811
    """小美 has earned points, somebody asked for more than may be given alone, and the chain has rules."""
    EarningRule.objects.create(name="消费积分", fen_per_point=100)
    MultiplierRule.objects.create(name="生日双倍", kind="birthday", multiplier_bp=20_000)
    PointsSettings.objects.create(pk=1)
    member_services.credit_points(
        member_id=cast.xiaomei.id, points=120, source_key="sale:1", actor=Actor.system("cast")
    )
    member_services.adjust_points(
        member_id=cast.xiaomei.id,
        delta=5_000,
        reason="活动补登",
        request_key="cast",
        actor=Actor.staff(cast.regional.pk, "cast-east"),
    )


def fill_tiers(cast: Cast) -> None:  # noqa: F811
    """小美 bought enough for a tier of the chain's ladder."""
    actor = Actor.system("cast")
    member_services.change_tier_settings(decisions=TierDecisions(grace_days=15), actor=actor)
    member_services.create_tier(terms=TierTerms(rank=1, name="银卡", spend_fen=100_000), actor=actor)
    member_services.record_activity(
        member_id=cast.xiaomei.id,
        day=clock.today(),
        spend_fen=100_000,
        order_count=1,
        growth=0,
        source_key="sale:1",
        actor=actor,
    )


def fill_privacy(cast: Cast) -> None:  # noqa: F811
    """Texts in two versions, somebody who agreed, asked for her data and was looked at."""
    consent_texts()
    services = member_services
    services.draft_consent_text(kind="privacy", title="隐私政策", body="第二版", actor=Actor.system("cast"))
    she = services.register_member(name="小雅", phone="13912345678", source="pos", actor=Actor.system("cast"))
    guide_services.bind_member(
        member_id=she.id, guide_id=cast.lina.id, source="staff", actor=Actor.system("cast")
    )
    services.agree_consent(
        member_id=she.id, kind="marketing", version=1, door="pos", actor=Actor.member(she.id)
    )
    services.reveal_phone(
        member_id=she.id, reason="other", words="打 13912345678", actor=Actor.guide(cast.lina.id, "李娜")
    )
    services.request_erasure(member_id=she.id, actor=Actor.member(she.id))
    PrivacySettings.objects.create(pk=1)


def fill_coupons(cast: Cast) -> None:  # noqa: F811
    """小美 has used one coupon, was given another in bulk, and a template stands behind them."""
    actor = Actor.system("cast")
    template = coupon_services.create_template(
        terms=TemplateTerms(title="满减券", kind="cash_off", off_fen=3_000, validity="month_end"), actor=actor
    )
    batch = coupon_services.create_batch(
        template_id=template.id,
        terms=BatchTerms(
            name="双旦满减",
            quota=1_204,
            doors=("claim", "system", "face_to_face", "code", "share"),
            member_limit=None,
        ),
        actor=actor,
    )
    coupon_services.open_batch(batch_id=batch.id, actor=actor)
    issued = coupon_services.claim_coupon(
        batch_id=batch.id, member_id=cast.xiaomei.id, request_key="cast", actor=actor
    )
    coupon_services.redeem_coupon(
        code=issued.code,
        order=Order(store_id=cast.store.id, order_no="S1", amount_fen=20_000, discount_fen=3_000),
        request_id="cast",
        actor=actor,
    )
    PointsPayment.objects.create(pk=1)
    VoidJob.objects.create(key="cast", reason="印错了", started_at=clock.now(), finished_at=clock.now())
    made = openapi_services.create_client(
        terms=ClientTerms(name="一号机", kind="till", scopes=("verify",), store_id=cast.store.id), actor=actor
    )
    ApiRequest.objects.create(
        client_id=made.client_id, at=clock.now(), method="GET", endpoint="/ping", status=200, took_ms=7
    )
    coupon_services.issue_coupons(
        batch_id=batch.id, member_ids=[cast.xiaomei.id, cast.xiaoli.id], key="cast", actor=actor
    )
    coupon_services.decide_policy(terms=PolicyTerms(0, 0, 10_000), actor=actor)
    coupon_services.fold_stats(actor=actor)
    coupon_services.settle_redemptions(actor=actor)
    coupon_services.prove_stats(actor=actor)
    coupon_services.create_exchange_set(
        batch_id=batch.id,
        terms=ExchangeTerms(name="门店卡片", kind="generated", code_count=3),
        actor=actor,
    )
    coupon_services.create_unlock_offer(
        terms=UnlockTerms(name="邀好友", batch_id=batch.id, friend_batch_id=batch.id, needed_count=1),
        actor=actor,
    )
    share = coupon_services.start_unlock(
        offer_public_id=coupon_selectors.list_unlock_offers(cast.xiaomei.id)[0].public_id,
        member_id=cast.xiaomei.id,
        actor=actor,
    )
    coupon_services.help_unlock(share_public_id=share, member_id=cast.xiaoli.id, actor=actor)
    fill_doors(cast, batch.id)


def fill_doors(cast: Cast, batch_id: int) -> None:  # noqa: F811
    """李娜 offers the batch face to face and 小美 has scanned; a rule has greeted 小美 as well."""
    actor = Actor.system("cast")
    card = coupon_services.open_face_to_face(
        batch_id=batch_id, guide_id=cast.lina.id, request_key="cast", actor=actor
    )
    code = ChannelCode.objects.get(purpose="face_to_face")
    scan = guide_services.resolve_scan(
        member_id=cast.xiaomei.id,
        scene=code.code,
        is_new_follower=False,
        request_key=card.public_id,
        actor=actor,
    )
    coupon_services.answer_face_to_face_scan(scan_id=scan.scan_id, actor=actor)
    rule = coupon_services.create_standing_rule(
        terms=StandingTerms(name="绑定欢迎券", occasion="first_bound", batch_id=batch_id), actor=actor
    )
    coupon_services.switch_rule_on(
        rule_id=rule.id, actor=actor, at=cast.xiaomei.registered_at - dt.timedelta(hours=1)
    )
    coupon_services.work_standing_rules(actor=actor)


@pytest.fixture
def full_chain(cast: Cast) -> Cast:  # noqa: F811
    """At least one row in every table the admin shows."""
    return fill_chain(cast)


@pytest.fixture(scope="module")
def kept_chain(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Cast]:
    """The full chain made once, for modules whose tests only look at it; these say `cast` and `full_chain` are it."""
    with kept_rows(django_db_blocker, lambda: fill_chain(make_cast())) as chain:
        yield chain


def fill_boards() -> None:
    """A month of sales that is closed and frozen."""
    month = (clock.today().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    close_id = sales_services.close_month(month_on=month, actor=Actor.system("cast"))
    sales_services.freeze_boards(close_id=close_id)


def fill_chain(cast: Cast) -> Cast:  # noqa: F811
    """What `full_chain` says, around this cast."""
    fill_account(cast)
    guide_services.open_dealer(code="D01", name="锦绣商贸", actor=Actor.system("cast"))
    group = member_services.create_tag_group(name="肤质", is_exclusive=True, actor=Actor.system("cast"))
    tag = member_services.create_tag(group_id=group.id, name="敏感肌", actor=Actor.system("cast"))
    member_services.tag_members(member_ids=[cast.xiaomei.id], tag_id=tag.id, actor=Actor.system("cast"))
    fill_points(cast)
    fill_tiers(cast)
    twin = member_services.register_follower(
        app_id=cast.app_id, openid="oxiaomeitwin0000000000000000", actor=Actor.wechat()
    )
    member_services.merge_members(
        first_id=cast.xiaomei.id, second_id=twin.id, survivor_id=cast.xiaomei.id, actor=Actor.system("cast")
    )
    fill_privacy(cast)
    job = check(upload(text_of([person(1), person(2, 手机号="坏的")])))
    run(job.pk)
    fill_coupons(cast)
    BindingPolicy.objects.create(name="先绑定者保留", protected_days=None)
    guide_services.resolve_scan(
        member_id=cast.xiaoli.id,
        scene=get_guide_code(cast.wangfang.id).code,
        is_new_follower=True,
        request_key="scan-1",
        actor=Actor.wechat(),
        at=clock.now(),
    )
    make_kinds()
    ask(cast.xiaomei)
    fill_performance(cast)
    fill_boards()
    fill_numbers(cast)
    fill_sales(cast)
    fill_campaigns(cast)
    fill_reaches(cast)
    fill_journeys(cast)
    fill_rounds(cast, tag.id)
    fill_reviews(cast)
    fill_behaviours(cast)
    fill_proof(cast)
    fill_materials(cast)
    return cast


def fill_materials(cast: Cast) -> None:  # noqa: F811
    """A material that was shared and opened."""
    opened(share_of(make_material(), cast.lina), wechat(cast.xiaomei_openid))


def fill_behaviours(cast: Cast) -> None:  # noqa: F811
    """Something she looked at, and how long that is kept."""
    behaviours_kit.tell(cast.xiaomei.id, behaviours_kit.now_deed(), at=clock.now())
    BehaviourPolicy.objects.create(pk=1)


def fill_performance(cast: Cast) -> None:  # noqa: F811
    """A rule, a closed month of commission with one sale, a target."""
    commission_rule()
    tell(sale_order("C1", sold_at=dt.datetime(2026, 8, 10, 4, tzinfo=dt.UTC)))
    close_commission_month(dt.date(2026, 8, 1))
    sales_services.set_targets(
        month_on=clock.today().replace(day=1),
        entries=[TargetEntry(TargetKey("store", cast.store.id), 1_000_000)],
        actor=Actor.system("cast"),
    )


def fill_reviews(cast: Cast) -> None:  # noqa: F811
    """A low score of hers that became a request."""
    ask_at_once()
    review = make_review(cast.xiaoli, "RATED")
    sales_services.answer_review(
        member_id=cast.xiaoli.id,
        public_id=review.public_id,
        score=2,
        words="掉色",
        actor=Actor.system("cast"),
    )


def fill_numbers(cast: Cast) -> None:  # noqa: F811
    """A file of orders, a pass over members' numbers under the chain's own rules, an export that waits."""
    actor = Actor.system("cast")
    intake_kit.upload(intake_kit.text_of([intake_kit.row("O1")]))
    rules = sales_selectors.get_rfm_rules()
    sales_services.change_rfm_rules(rules=dataclasses.replace(rules, new_days=31), actor=actor)
    sales_services.work_metrics_runs(actor=actor)
    sales_services.work_nine(actor=actor)
    count_contacts()
    ExportJob.objects.create(
        staff=cast.head_office, listed="coupons.coupon", row_count=6_000, asked_at=clock.now()
    )


@pytest.fixture
def looker(db: None) -> Client:
    """Somebody who may look at everything of the gateway and change nothing."""
    staff = StaffAccount.objects.create_user("looker", password="x", is_staff=True)
    staff.user_permissions.set(
        Permission.objects.filter(content_type__app_label="wechat", codename__startswith="view_")
    )
    client = Client()
    client.force_login(staff)
    return client
