"""A member whom every channel reaches, and WeChat as a test tells it to answer."""

import dataclasses
import datetime as dt
from typing import Any

from django.apps import apps
from django.db import connection

from campaigns import services
from campaigns.contracts import ReachOrder
from campaigns.models import Reach, ReachPolicy, SubscriptionGrant, TopicTemplate
from core import clock
from core.actor import Actor
from members import services as member_services
from tests.cast import APP_ID, Cast
from tests.members import privacy_kit
from tests.wechat.scripted_server import ScriptedServer, ok
from wechat.services.direct import SERVICE_PATH, SUBSCRIPTION_PATH, TEMPLATE_PATH

MINI_APP = "wxmini00000000001"
MINI_OPENID = "omini-xiaomei-00000000000000"
TEMPLATE_ID = "tpl-official"
SUBSCRIPTION_ID = "tpl-mini"
SENT = ok(errcode=0, errmsg="ok", msgid=77001)
HOUR = dt.timedelta(hours=1)
PATHS = {
    "subscription": SUBSCRIPTION_PATH,
    "template": TEMPLATE_PATH,
    "service_message": SERVICE_PATH,
}

_CROWD = """
WITH crowd AS (
    INSERT INTO members_member (public_id, code, stage, name, name_tokens, gender, phone, phone_tail, source, source_scene,
                                is_following, registered_at)
    SELECT 'crowd' || n, 'C' || n, 'prospect', '', '{}', '', '', '', 'import', '', true, now()
    FROM generate_series(0, %(count)s - 1) n RETURNING id, substr(code, 2) AS place
), known AS (
    INSERT INTO members_memberidentity (member_id, kind, app_id, value, linked_at, given_through)
    SELECT id, kind, app_id, prefix || place, now(), '{}' FROM crowd,
        (VALUES ('openid', %(official)s, 'crowd-'), ('mini_openid', %(mini)s, 'mini-')) app (kind, app_id, prefix)
), follows AS (
    INSERT INTO wechat_follower (account_id, openid, is_following, followed_at, first_scene, unionid, window_until)
    SELECT %(account)s, 'crowd-' || place, true, now() - interval '1 hour', '', '', now() + interval '1 day' FROM crowd
)
SELECT id FROM crowd ORDER BY place::int
"""


@dataclasses.dataclass
class World:
    """The cast, the scripted server, the mini-program's account."""

    cast: Cast
    server: ScriptedServer
    mini_id: int

    def order(self, reason_key: str = "r1", **other: Any) -> ReachOrder:
        """News for 小美 of a coupon that ends."""
        values: dict[str, Any] = {
            "member_id": self.cast.xiaomei.id,
            "topic": "coupon_expiring",
            "title": "券快到期了",
            "text": "您有 2 张券用到 12 月 1 日为止。",
            "values": {"count": "2", "day": "2026-12-01"},
            "page": "pages/coupons",
        } | other
        return ReachOrder(reason_key=reason_key, **values)

    def send(self, reason_key: str = "r1", **other: Any) -> Reach:
        """Queued and sent; how it stands."""
        services.reach_member(order=self.order(reason_key, **other))
        services.send_due_reaches()
        return self.row(reason_key)

    def row(self, reason_key: str = "r1") -> Reach:
        return Reach.objects.get(reason_key=reason_key)

    def answers(self, channel: str, *replies: Any) -> None:
        self.server.script(PATHS[channel], *replies)

    def calls(self, channel: str) -> list[dict[str, Any]]:
        return [seen.json() for seen in self.server.calls(PATHS[channel])]

    def follow(self, **values: Any) -> None:
        """小美 follows, with her window as given."""
        model = apps.get_model("wechat", "Follower")
        model.objects.update_or_create(
            account_id=self.cast.account_id,
            openid=self.cast.xiaomei_openid,
            defaults={"is_following": True, "followed_at": clock.now() - HOUR} | values,
        )

    def agree_to_marketing(self) -> None:
        privacy_kit.consent_texts()
        she = self.cast.xiaomei.id
        member_services.agree_consent(
            member_id=she, kind="marketing", version=1, door="mini_program", actor=Actor.member(she)
        )

    def open_window(self) -> None:
        self.follow(window_until=clock.now() + HOUR)

    def crowd(self, count: int) -> list[int]:
        """So many members more, who follow with an open window and have opened the mini-program; by their places."""
        with connection.cursor() as cursor:
            cursor.execute(
                _CROWD,
                {"count": count, "official": APP_ID, "mini": MINI_APP, "account": self.cast.account_id},
            )
            return [member_id for (member_id,) in cursor.fetchall()]

    @staticmethod
    def mini_openid_of(place: int) -> str:
        return f"mini-{place}"

    @staticmethod
    def place_of(openid: str) -> int:
        """Where in the crowd she stands whom WeChat knows so."""
        return int(openid.partition("-")[2])

    def grant(self, count: int = 1) -> None:
        SubscriptionGrant.objects.update_or_create(
            account_id=self.mini_id,
            openid=MINI_OPENID,
            template_id=SUBSCRIPTION_ID,
            defaults={"count": count},
        )

    def grants(self) -> int:
        row = SubscriptionGrant.objects.filter(openid=MINI_OPENID, template_id=SUBSCRIPTION_ID).first()
        return 0 if row is None else row.count

    def map_topic(
        self, topic: str = "coupon_expiring", kinds: tuple[str, ...] = ("template", "subscription")
    ) -> None:
        """The topic has a template in the account, and one in the mini-program."""
        fields = {
            "thing1": {"value": "title"},
            "number2": {"value": "count"},
            "thing3": {"words": "到店使用"},
        }
        for kind in kinds:
            make_template(
                self.cast.account_id if kind == "template" else self.mini_id,
                TEMPLATE_ID if kind == "template" else SUBSCRIPTION_ID,
            )
            TopicTemplate.objects.create(
                topic=topic,
                account_id=self.cast.account_id if kind == "template" else self.mini_id,
                kind=kind,
                template_id=TEMPLATE_ID if kind == "template" else SUBSCRIPTION_ID,
                fields=fields,
            )


def make_world(cast: Cast, server: ScriptedServer) -> World:
    """小美 follows, has opened the mini-program, and is left alone at no hour."""
    mini = apps.get_model("wechat", "Account").objects.create(
        slug="mini",
        name="素衣小程序",
        kind="mini_program",
        app_id=MINI_APP,
        original_id="gh_mini00000001",
        app_secret="mini-app-secret",
        push_token="MiniPushToken",
        push_mode="plain",
    )
    apps.get_model("members", "MemberIdentity").objects.create(
        member_id=cast.xiaomei.id,
        kind="mini_openid",
        app_id=MINI_APP,
        value=MINI_OPENID,
        linked_at=clock.now(),
    )
    ReachPolicy.objects.update_or_create(
        pk=1, defaults={"is_quiet_on": False, "quiet_from": "22:00", "quiet_until": "08:30"}
    )
    world = World(cast, server, mini.pk)
    world.follow(window_until=None)
    for channel in PATHS:
        world.answers(channel, SENT)
    return world


def make_template(account_id: int, template_id: str, **other: Any) -> Any:
    """A template of three keywords, as the last synchronisation found it."""
    fields = [
        {"name": name, "kind": kind, "label": label, "example": ""}
        for name, kind, label in (
            ("thing1", "thing", "事项"),
            ("number2", "number", "数量"),
            ("thing3", "thing", "提示"),
        )
    ]
    values = {"title": "到期提醒", "content": "", "fields": fields, "synced_at": clock.now()} | other
    model = apps.get_model("wechat", "MessageTemplate")
    return model.objects.get_or_create(account_id=account_id, template_id=template_id, defaults=values)[0]


def tries_of(row: Reach) -> list[tuple[str, str]]:
    """Which channels were not the one, and why."""
    return [(one["channel"], one["code"]) for one in row.tries]
