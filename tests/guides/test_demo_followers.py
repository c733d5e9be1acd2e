"""The demo's followers: the sandbox and we know the same people, whom a mass message and a tag reach over HTTP; what was told
to them is mostly green."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.db.models import F
from pytest_django import Settings

from campaigns import services as campaign_services
from campaigns.contracts import MassDraft
from campaigns.models import InboxMessage, MassMessage, Reach, ReachPolicy
from config.demo import accounts
from config.demo.consents import seed_consents
from config.demo.followers import TAGS, describe_followers, publish_menus, seed_followers
from config.demo.reach_log import seed_reach_log
from config.demo.reaching import seed_mini_openids
from config.demo.seed import seed_chain
from config.demo.tags import seed_tags
from config.demo.tiers import seed_tiers
from config.demo.wechat_ids import openid_of, unionid_of
from core import clock
from core.actor import Actor
from guides.services import work_tag_links
from members import services as member_services
from members.models import Tag
from sandbox import identity
from sms.models import SmsSpend
from tests.sandbox_process import running_sandbox
from tests.wechat.gateway_out import Sandbox
from tests.wechat.scripted_server import hosts_at
from wechat.client import transport
from wechat.contracts import MassContent
from wechat.models import Follower, FollowerTag, FollowerTagging, MenuVersion
from wechat.services import follower_tags, menu_comparing, tagging_queue

ACTOR = Actor.system("demo")

pytestmark = pytest.mark.django_db(transaction=True)


def test_ids_are_those_that_the_sandbox_computes() -> None:
    for key in ("suyi-0", "suyi-4999"):
        assert openid_of(key, accounts.APP_ID) == identity.openid_of(key, accounts.APP_ID)
        assert unionid_of(key) == identity.unionid_of(key, "suyi")


def test_the_sandbox_and_we_have_the_same_followers(settings: Settings) -> None:
    at = clock.now()
    accounts.seed_accounts()
    seed_chain(at=at, actor=ACTOR)
    for seed in (seed_tags, seed_tiers, seed_consents):
        seed(at=at, actor=ACTOR)
    for _time in range(2):
        seed_followers(at=at, actor=ACTOR)
        seed_mini_openids(at=at, actor=ACTOR)
        seed_reach_log(at=at, actor=ACTOR)
    _check_followers()
    _check_log()
    with running_sandbox() as base_url:
        settings.WECHAT_HOSTS = hosts_at(base_url)
        sandbox = Sandbox(base_url, accounts.APP_ID)
        sandbox.ask(
            "PUT",
            f"/accounts/{accounts.APP_ID}",
            app_secret=accounts.SECRETS["app_secret"],
            mode="plain",
            open_platform="suyi",
        )
        sandbox.ask("PUT", f"/accounts/{accounts.MINI_APP_ID}", kind="mini_program", mode="plain")
        told = describe_followers()
        answer = sandbox.ask("PUT", f"/accounts/{accounts.APP_ID}/followers", **told)
        assert answer["followers"] == Follower.objects.filter(is_following=True).count()
        assert sandbox.ask("PUT", f"/accounts/{accounts.APP_ID}/followers", **told)["added"] == 0
        publish_menus(actor=ACTOR, at=clock.now())
        _check_over_http(sandbox)
        transport.connections().close()


def _check_followers() -> None:
    rows = Follower.objects.all()
    gone = rows.filter(is_following=False)
    assert 3_500 < rows.count() < 5_000
    assert 0.04 < gone.count() / rows.count() < 0.15
    assert not gone.filter(unfollowed_at__isnull=True).exists()
    assert not gone.filter(unfollowed_at__lt=F("followed_at")).exists()
    assert rows.exclude(first_scene="").count() > rows.count() / 2
    assert FollowerTag.objects.count() == len(TAGS)
    assert not FollowerTagging.objects.filter(openid__in=gone.values("openid")).exists()


def _check_log() -> None:
    states = Counter(Reach.objects.values_list("state", flat=True))
    whole = sum(states.values())
    assert whole > 900
    assert (states["sent"] + states["delivered"]) / whole > 0.88
    assert states["failed"] / whole < 0.06
    assert states["skipped"] / whole < 0.06
    assert not Reach.objects.filter(state__in=["failed", "skipped", "uncertain"], code="").exists()
    inbox = Reach.objects.filter(channel="inbox", state="sent")
    assert InboxMessage.objects.count() == inbox.count() > 20
    texts = Reach.objects.filter(channel="sms")
    assert sum(SmsSpend.objects.values_list("text_count", flat=True)) == texts.count() > 5


def _check_over_http(sandbox: Sandbox) -> None:
    account = apps.get_model("wechat", "Account").objects.get(slug=accounts.SLUG)
    ReachPolicy.objects.update_or_create(
        pk=1,
        defaults={
            "is_quiet_on": False,
            "quiet_from": dt.time(22),
            "quiet_until": dt.time(8),
            "mass_needs_second": False,
        },
    )
    before = {tag.wechat_tag_id: tag.follower_count for tag in FollowerTag.objects.all()}
    follower_tags.sync_all_follower_tags()
    assert {tag.wechat_tag_id: tag.follower_count for tag in FollowerTag.objects.all()} == before
    version = MenuVersion.objects.get()
    assert (version.state, menu_comparing.compare_menu(account_id=account.pk).state) == (
        "published",
        "same",
    )
    _check_mass(account.pk)
    _check_tag()


def _check_mass(account_id: int) -> None:
    draft = MassDraft(
        account_id=account_id,
        name="金卡到店礼",
        content=MassContent("text", text="金卡会员到店有礼"),
        audience="tag",
        tag_id=100,
        purpose="normal",
    )
    row = campaign_services.save_mass_message(draft=draft, actor=ACTOR)
    campaign_services.confirm_mass_message(message_id=row.pk, revision=1, actor=ACTOR)
    assert campaign_services.send_mass_message(row.pk) == "sent"
    assert MassMessage.objects.get().message_id


def _check_tag() -> None:
    """What a member is tagged with here gets to WeChat, for the link that the demo has."""
    link: Any = apps.get_model("guides", "TagLink").objects.get()
    worn = FollowerTagging.objects.filter(tag_id=link.follower_tag_id)
    fresh: Any = (
        apps.get_model("members", "MemberIdentity")
        .objects.filter(kind="openid", member__is_following=True, member__merged_into=None)
        .exclude(value__in=worn.values("openid"))
        .first()
    )
    tag = Tag.objects.get(pk=link.member_tag_id)
    member_services.tag_members(member_ids=[fresh.member_id], tag_id=tag.pk, actor=ACTOR)
    apps.get_model("guides", "TagLink").objects.update(due_at=clock.now())
    work_tag_links()
    assert tagging_queue.work_taggings() == 1
    assert worn.filter(openid=fresh.value, is_there=True).exists()
