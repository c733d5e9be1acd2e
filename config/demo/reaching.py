"""How the demo's members are reached: most have opened the mini-program, topics have templates, and answers lie ready."""

import datetime as dt
import random
from collections.abc import Mapping
from typing import Final

from django.apps import apps

from campaigns.services.mapping import map_topic
from config.demo import accounts
from config.demo.seed import MEMBER_COUNT
from config.demo.wechat_ids import key_of, openid_of
from core.actor import Actor
from guides import services as guide_services
from wechat.services.templates import sync_all_templates

_DICE_SEED: Final = 91
# Of those who follow: the others have never opened it, and the log of reaches shows what that means.
_MINI_SHARE: Final = 0.93
# Topic → the end of its templates' ids, and what fills their fields (`config.demo.templates`).
_MAPPINGS: Final[Mapping[str, tuple[str, Mapping[str, Mapping[str, str]]]]] = {
    "sale": (
        "purchase",
        {
            "thing1": {"words": "素衣门店购物"},
            "amount2": {"value": "amount"},
            "thing3": {"value": "store"},
            "time4": {"value": "time"},
        },
    ),
    "points_changed": (
        "points",
        {
            "thing1": {"value": "reason"},
            "character_string2": {"value": "points"},
            "number3": {"value": "balance"},
            "time4": {"value": "time"},
        },
    ),
    "coupon_issued": (
        "coupon",
        {
            "thing1": {"value": "coupon"},
            "date2": {"value": "day"},
            "thing3": {"words": "到店出示会员码即可使用"},
        },
    ),
    "coupon_expiring": (
        "coupon_expiring",
        {"thing1": {"value": "title"}, "date2": {"value": "day"}, "number3": {"value": "count"}},
    ),
    "points_expiring": (
        "points_expiring",
        {
            "number1": {"value": "points"},
            "date2": {"value": "day"},
            "thing3": {"words": "到期后自动清零，请尽快使用"},
        },
    ),
    "guide_changed": (
        "guide_changed",
        {"name1": {"value": "guide"}, "thing2": {"value": "store"}, "time3": {"value": "time"}},
    ),
    "marketing": ("campaign", {"thing1": {"value": "title"}, "thing2": {"value": "text"}}),
}
# WeChat takes no marketing as a template message of an official account.
_MINI_ONLY: Final = frozenset({"marketing"})
_REPLIES: Final = (
    ("常用", "稍等", "{会员}，收到您的消息了，我去看一下货，几分钟内回您。"),
    ("常用", "营业时间", "{会员}，您好，{门店}每天 10:00 到 22:00 营业，随时欢迎您来。"),
    ("尺码", "问身高体重", "{会员}，方便告诉我您的身高和体重吗？我按版型帮您挑码，不合适可以换。"),
    ("尺码", "留货", "{会员}，您要的这件已经留好了，保留三天，到店报姓名就能试。{门店} {导购}"),
    ("售后", "洗护", "{会员}，羊绒和真丝请干洗或用中性洗涤剂冷水手洗，平铺晾干，不要暴晒。"),
    ("售后", "退换", "{会员}，吊牌完好的话，购买后 15 天内可以到{门店}退换，请带上会员码。"),
)


def seed_mini_openids(*, at: dt.datetime, actor: Actor) -> None:
    """Most who are known to the official account have opened the mini-program too. Once."""
    identities = apps.get_model("members", "MemberIdentity")
    if identities.objects.filter(kind="mini_openid").exists():
        return
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents habits, keeps no secret)
    hers = (
        identities.objects.filter(kind="openid").order_by("pk").values_list("member_id", "value", "linked_at")
    )
    keys = {
        openid_of(key, accounts.APP_ID): key for key in (key_of(number) for number in range(MEMBER_COUNT))
    }
    identities.objects.bulk_create(
        identities(
            member_id=member_id,
            kind="mini_openid",
            app_id=accounts.MINI_APP_ID,
            value=openid_of(keys[openid], accounts.MINI_APP_ID),
            linked_at=linked_at,
        )
        for member_id, openid, linked_at in hers
        if openid in keys and dice.random() < _MINI_SHARE
    )


def seed_quick_replies(*, at: dt.datetime, actor: Actor) -> None:
    """What guides and head office answer again and again. Once."""
    if apps.get_model("guides", "QuickReply").objects.exists():
        return
    for number, (group, title, text) in enumerate(_REPLIES, start=1):
        guide_services.save_quick_reply(
            reply_id=None,
            group=group,
            title=title,
            text=text,
            is_active=True,
            order=number,
            actor=actor,
            at=at,
        )


def adopt_templates(actor: Actor) -> None:
    """The templates of both accounts are fetched from the sandbox; topics are said by them. The latter once."""
    sync_all_templates()
    if apps.get_model("campaigns", "TopicTemplate").objects.exists():
        return
    rows = apps.get_model("wechat", "MessageTemplate").objects.all()
    ids = {row.template_id: row.pk for row in rows}
    for topic, (name, fields) in _MAPPINGS.items():
        for prefix in ("mini",) if topic in _MINI_ONLY else ("official", "mini"):
            map_topic(
                topic=topic,
                template_pk=ids[f"{prefix}-{name}"],
                fields=fields,
                page="",
                is_on=True,
                actor=actor,
            )
