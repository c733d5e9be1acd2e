"""The named people of the tests: a chain with two stores, four guides, two members, two staff accounts."""

import dataclasses
import datetime as dt
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection

from core import clock
from core.actor import Actor
from core.models import StaffAccount
from guides import services as guide_services
from guides.contracts import GuideCard, RegionCard, StoreCard
from members import services as member_services
from members.contracts import MemberCard
from tests.cast_rows import Recording

APP_ID = "wxcast00000000001"
DIRECTOR = Actor.system("cast")


@dataclasses.dataclass(frozen=True, slots=True)
class Cast:
    """李娜 and 王芳 are guides and 赵强 the manager of `store` (eastern region); 陈静 is a guide of
    `other_store` (southern region). 小美 is bound to 李娜, 小丽 to nobody; both follow the account.
    `head_office` sees all, `regional` the eastern region."""

    account_id: int
    app_id: str
    root: RegionCard
    east: RegionCard
    south: RegionCard
    store: StoreCard
    other_store: StoreCard
    lina: GuideCard
    wangfang: GuideCard
    zhaoqiang: GuideCard
    chenjing: GuideCard
    xiaomei: MemberCard
    xiaoli: MemberCard
    xiaomei_openid: str
    xiaoli_openid: str
    head_office: StaffAccount
    regional: StaffAccount


_recorded: list[Recording] = []
_keys = (tuple(settings.FIELD_KEYS), tuple(settings.INDEX_KEYS))


def record_cast() -> None:
    """From now on everybody comes by rows that are recorded here, in a tenth of the time. Asks for an empty database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('is_superuser')::bool")  # who may pass triggers by
        [may_pass_triggers_by] = cursor.fetchone()
    if may_pass_triggers_by and not _recorded:
        _recorded.append(Recording.of(cast_by_services))


def make_cast(at: dt.datetime | None = None) -> Cast:
    """Everybody, an hour before `at` (now)."""
    now = clock.now()
    at = (at or now) - dt.timedelta(hours=1)
    are_keys_the_same = _keys == (tuple(settings.FIELD_KEYS), tuple(settings.INDEX_KEYS))
    for recording in _recorded:
        if are_keys_the_same and recording.can_be_again():
            everybody: Cast = recording.again(at, now)
            return everybody
    return cast_by_services(at)


def cast_by_services(at: dt.datetime) -> Cast:
    """Everybody at this time, each as in life."""
    root = guide_services.open_region(name="全国", actor=DIRECTOR, at=at)
    east = guide_services.open_region(name="华东大区", parent_id=root.id, actor=DIRECTOR, at=at)
    south = guide_services.open_region(name="华南大区", parent_id=root.id, actor=DIRECTOR, at=at)
    store = make_store("T01", "南京东路店", east.id, 31.236510, 121.481720, at=at)
    other = make_store("T02", "天河路店", south.id, 23.133570, 113.322190, at=at)
    lina = make_guide("T001", "李娜", store.id, at=at)
    xiaomei = make_follower("小美", openid_of("xiaomei"), at=at)
    xiaoli = make_follower("小丽", openid_of("xiaoli"), at=at)
    guide_services.bind_member(
        member_id=xiaomei.id, guide_id=lina.id, source="scan", actor=Actor.wechat(), at=at
    )
    # No passwords: hashing two of them would cost every test a second. Tests log in with force_login.
    head_office = StaffAccount.objects.create_superuser("cast-head-office")
    regional = StaffAccount.objects.create_user("cast-east", is_staff=True)
    apps.get_model("guides", "StaffScope").objects.create(staff=regional, region_id=east.id)
    return Cast(
        account_id=make_account().pk,
        app_id=APP_ID,
        root=root,
        east=east,
        south=south,
        store=store,
        other_store=other,
        lina=lina,
        wangfang=make_guide("T002", "王芳", store.id, at=at),
        zhaoqiang=make_guide("T003", "赵强", store.id, role="manager", at=at),
        chenjing=make_guide("T004", "陈静", other.id, at=at),
        xiaomei=xiaomei,
        xiaoli=xiaoli,
        xiaomei_openid=openid_of("xiaomei"),
        xiaoli_openid=openid_of("xiaoli"),
        head_office=head_office,
        regional=regional,
    )


def openid_of(key: str) -> str:
    """A made-up openid, 28 characters as WeChat's are."""
    return f"o{key}-{'0' * 27}"[:28]


def make_account(app_id: str = APP_ID, slug: str = "cast") -> Any:
    """An official account in safe mode."""
    return apps.get_model("wechat", "Account").objects.create(
        slug=slug,
        name="素衣 SUYI",
        kind="official",
        app_id=app_id,
        original_id="gh_cast00000001",
        app_secret="cast-app-secret",
        push_token="CastPushToken",
        push_mode="safe",
        aes_key="k3F9sQ1vYt7LmZ0xWc5RbN8uHgJ2dPaE4iOoTqVyB6M",
    )


def make_store(
    code: str,
    name: str,
    region_id: int,
    latitude: float | None = None,
    longitude: float | None = None,
    *,
    dealer_id: int | None = None,
    at: dt.datetime | None = None,
) -> StoreCard:
    """An open store."""
    return guide_services.open_store(
        code=code,
        name=name,
        region_id=region_id,
        dealer_id=dealer_id,
        address="测试路 1 号",
        latitude=latitude,
        longitude=longitude,
        phone="021-6322 0118",
        opening_hours=["10:00-22:00"] * 7,
        actor=DIRECTOR,
        at=at,
    )


def make_guide(
    number: str, name: str, store_id: int, *, role: str = "guide", at: dt.datetime | None = None
) -> GuideCard:
    """An active guide with her posting and code."""
    return guide_services.hire_guide(
        number=number, name=name, store_id=store_id, role=role, actor=DIRECTOR, at=at
    )


def make_follower(name: str, openid: str, *, at: dt.datetime | None = None) -> MemberCard:
    """A named prospect who follows the cast's account."""
    member = member_services.register_follower(app_id=APP_ID, openid=openid, actor=Actor.wechat(), at=at)
    return member_services.rename_member(member_id=member.id, name=name, actor=DIRECTOR, at=at)
