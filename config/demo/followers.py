"""The seeded members as followers of the official account: since when, by which code, with which of WeChat's tags; the
sandbox is told of the same people."""

import dataclasses
import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from config.demo import accounts
from config.demo.seed import MEMBER_COUNT
from config.demo.wechat_ids import key_of, openid_of, unionid_of
from core.actor import Actor
from guides.services.tag_links import link_tags
from wechat.services.menu_publishing import publish_menu
from wechat.services.menus import save_menu_draft

_DICE_SEED: Final = 83
# WeChat's number → name.
TAGS: Final = {100: "金卡以上", 101: "上海门店", 102: "喜欢羊绒", 103: "周年庆名单"}
_GOLD, _SHANGHAI, _CASHMERE, _PARTY = TAGS
_GOLD_RANK: Final = 3
_PARTY_SHARE: Final = 0.06
_LOOKUPS_A_CALL: Final = 100
_CLICK: Final = {"type": "click", "name": "附近门店", "key": "门店"}
_CARD: Final = {"type": "click", "name": "会员权益", "key": "会员"}


@dataclasses.dataclass(frozen=True, slots=True)
class _Fan:
    """One member whom the account knows by an id of the seed's."""

    key: str
    openid: str
    member_id: int
    is_following: bool
    since: dt.datetime
    code: str


def seed_followers(*, at: dt.datetime, actor: Actor) -> None:
    """Followers, their unionids and tags, and the last synchronisation. Once, and for a chain seeded under these ids."""
    tag_model = apps.get_model("wechat", "FollowerTag")
    if tag_model.objects.exists():
        return
    account = apps.get_model("wechat", "Account").objects.get(slug=accounts.SLUG)
    fans = _fans()
    if not fans:
        return
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents habits, keeps no secret)
    sync = _note_sync(account, fans, at)
    _note_followers(dice, account, fans, sync, at)
    identities = apps.get_model("members", "MemberIdentity")
    identities.objects.bulk_create(
        identities(member_id=fan.member_id, kind="unionid", value=unionid_of(fan.key), linked_at=fan.since)
        for fan in fans
    )
    tags = _note_tags(dice, account, fans, at)
    cashmere = apps.get_model("members", "Tag").objects.filter(name="羊绒").first()
    if cashmere is not None:
        link_tags(
            member_tag_id=cashmere.pk,
            follower_tag_id=tags[_CASHMERE],
            direction="push",
            actor=actor,
            at=at,
        )


def _fans() -> list[_Fan]:
    """Those of the seed's members who ever followed, by her first code."""
    keys = {
        openid_of(key, accounts.APP_ID): key for key in (key_of(number) for number in range(MEMBER_COUNT))
    }
    scans = (
        apps.get_model("guides", "Binding").objects.exclude(channel_code=None).order_by("-bound_at", "-pk")
    )
    codes = dict(scans.values_list("member_id", "channel_code__code"))
    known = apps.get_model("members", "MemberIdentity").objects.filter(
        kind="openid", app_id=accounts.APP_ID, member__merged_into=None
    )
    rows = known.order_by("linked_at", "pk").values_list(
        "value", "member_id", "member__is_following", "linked_at"
    )
    return [
        _Fan(keys[openid], openid, member_id, is_following, since, codes.get(member_id) or "")
        for openid, member_id, is_following, since in rows
        if openid in keys
    ]


def _note_followers(dice: random.Random, account: Any, fans: list[_Fan], sync: Any, at: dt.datetime) -> None:
    follower = apps.get_model("wechat", "Follower")
    rows = []
    for fan in fans:
        acted_at = fan.since + (at - fan.since) * dice.random() ** 0.4 * 0.97
        gone_at = None if fan.is_following else fan.since + (at - fan.since) * dice.uniform(0.05, 0.95)
        rows.append(
            follower(
                account=account,
                openid=fan.openid,
                unionid=unionid_of(fan.key),
                is_following=fan.is_following,
                followed_at=fan.since,
                unfollowed_at=gone_at,
                first_scene=fan.code,
                identified_at=fan.since,
                listed_run=sync.pk if fan.is_following else None,
                acted_at=acted_at if gone_at is None else min(acted_at, gone_at),
                window_until=None,
            )
        )
    follower.objects.bulk_create(rows)


def _note_sync(account: Any, fans: list[_Fan], at: dt.datetime) -> Any:
    """The whole list was read some nights ago."""
    started = at - dt.timedelta(days=3, minutes=at.minute)
    seen = sum(fan.is_following for fan in fans)
    return apps.get_model("wechat", "FollowerSync").objects.create(
        account=account,
        state="finished",
        phase="identifying",
        total_count=seen,
        seen_count=seen,
        new_count=0,
        lost_count=4,
        identified_count=seen,
        request_count=1 + -(-seen // _LOOKUPS_A_CALL),
        started_at=started,
        phase_started_at=started + dt.timedelta(seconds=9),
        moved_at=started + dt.timedelta(seconds=48),
        ended_at=started + dt.timedelta(seconds=48),
    )


def _note_tags(dice: random.Random, account: Any, fans: list[_Fan], at: dt.datetime) -> dict[int, int]:
    """WeChat's tags and who carries them; our ids by WeChat's numbers."""
    model, tagging = apps.get_model("wechat", "FollowerTag"), apps.get_model("wechat", "FollowerTagging")
    ids = {}
    for number, name in TAGS.items():
        whose = _who(dice, number, fans)
        worn = [fan.openid for fan in fans if fan.is_following and fan.member_id in whose]
        tag = model.objects.create(
            account=account,
            wechat_tag_id=number,
            name=name,
            follower_count=len(worn),
            synced_at=at,
            listed_at=at,
        )
        ids[number] = tag.pk
        tagging.objects.bulk_create(
            tagging(
                tag=tag,
                openid=openid,
                is_there=True,
                wanted=True if number == _CASHMERE else None,
                not_before=at,
                changed_at=at,
                seen_at=at,
            )
            for openid in worn
        )
    return ids


def _who(dice: random.Random, number: int, fans: list[_Fan]) -> set[int]:
    """Members with this tag."""
    rows: Any
    if number == _GOLD:
        rows = apps.get_model("members", "MemberTier").objects.filter(tier__rank__gte=_GOLD_RANK)
    elif number == _SHANGHAI:
        live = apps.get_model("guides", "Binding").objects.filter(ended_at=None)
        rows = live.filter(store__address__startswith="上海")
    elif number == _CASHMERE:
        rows = apps.get_model("members", "MemberTag").objects.filter(tag__name="羊绒", removed_at=None)
    else:
        return {fan.member_id for fan in dice.sample(fans, int(len(fans) * _PARTY_SHARE))}
    return set(rows.values_list("member_id", flat=True))


def describe_followers() -> dict[str, Any]:
    """The same people as the sandbox takes them: it learns those whom it does not know yet."""
    worn: dict[str, list[int]] = {}
    taggings = apps.get_model("wechat", "FollowerTagging").objects.filter(
        is_there=True, tag__account__slug=accounts.SLUG
    )
    for openid, number in taggings.values_list("openid", "tag__wechat_tag_id"):
        worn.setdefault(openid, []).append(number)
    fans = _fans()
    members = apps.get_model("members", "Member").objects.filter(pk__in=[fan.member_id for fan in fans])
    names = dict(members.values_list("pk", "name"))
    return {
        "tags": {str(number): name for number, name in TAGS.items()},
        "followers": [
            {
                "key": fan.key,
                "name": names[fan.member_id] or "粉丝",
                "followed_at": int(fan.since.timestamp()),
                "is_following": fan.is_following,
                "scene": "ADD_SCENE_QR_CODE" if fan.code else "ADD_SCENE_SEARCH",
                "code": fan.code,
                "tag_ids": worn.get(fan.openid, []),
            }
            for fan in fans
        ],
    }


def publish_menus(*, actor: Actor, at: dt.datetime) -> None:
    """A menu for everybody, and another one for who carries a tag. Once; the sandbox answers."""
    account = apps.get_model("wechat", "Account").objects.get(slug=accounts.SLUG)
    if apps.get_model("wechat", "MenuVersion").objects.filter(account=account).exists():
        return
    shop = {
        "type": "miniprogram",
        "name": "小程序商城",
        "url": "https://mp.weixin.qq.com/s/anniversary",
        "appid": accounts.MINI_APP_ID,
        "pagepath": "pages/index/index",
    }
    gold = {
        "type": "view",
        "name": "金卡专享",
        "url": "https://mp.weixin.qq.com/s/winter",
    }
    draft = save_menu_draft(
        account_id=account.pk,
        buttons=[{"name": "逛一逛", "sub_button": [_CLICK, shop]}, _CARD],
        conditionals=[
            {
                "tag_id": _GOLD,
                "tag_name": TAGS[_GOLD],
                "buttons": [{"name": "逛一逛", "sub_button": [_CLICK, shop]}, _CARD, gold],
            }
        ],
        note="金卡会员多一个专享入口",
        actor=actor,
        at=at,
    )
    publish_menu(version_id=draft.pk, actor=actor, at=at)
