"""The demo chain 素衣: places, people and a year of history; the same every time but for `at`.

Regions, stores and guides come through the ordinary services. The members and their bindings come through the
two bulk imports, which write the same rows; the outside ids and codes are random there as everywhere.
"""

import dataclasses
import datetime as dt
import itertools
import random
from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import transaction

from config.demo.names import new_name, new_names
from config.demo.places import DEALERS, PLACES, REGIONS, ROOT
from config.demo.wechat_ids import key_of, openid_of
from core import clock
from core.actor import Actor
from guides import selectors as guide_selectors
from guides import services as guide_services
from guides.contracts import BindingImport, GuideCard
from members import services as member_services
from members.contracts import MemberImport, SourceKind
from wechat.errors import NoAccount
from wechat.services import accounts

MEMBER_COUNT: Final = 5_000
GUIDES_PER_STORE: Final = 5
# Who stands in the guide books: number → name. All others are drawn.
KNOWN_GUIDES: Final = {"G001": "李娜", "G002": "王芳", "G003": "赵强", "G006": "陈静"}
_DICE_SEED: Final = 20_260_101
_FALLBACK_APP_ID: Final = "wx0000000000000000"
# Number, store she came from, days ago: postings with a history.
_MOVES: Final = (("G009", "S01", 210), ("G031", "S06", 95), ("G052", "S10", 40))
# Number, days ago: her members wait to be handed over.
_LEAVERS: Final = (("G024", 12), ("G047", 30))
_PREFIXES: Final = (
    "133",
    "135",
    "136",
    "137",
    "138",
    "139",
    "150",
    "152",
    "158",
    "159",
    "177",
    "186",
    "188",
    "199",
)
# How busy each hour of a Shanghai day is, from 10 to 21.
HOURS: Final = dict(zip(range(10, 22), (4, 6, 7, 6, 8, 9, 9, 8, 9, 11, 12, 7), strict=True))
WEEKDAY_LOAD: Final = (7, 6, 6, 7, 10, 18, 17)


@dataclasses.dataclass(frozen=True, slots=True)
class SeedSummary:
    """How much of everything there is; `is_new` when this call wrote it."""

    is_new: bool
    regions: int
    dealers: int
    stores: int
    guides: int
    members: int
    bindings: int


@dataclasses.dataclass(slots=True)
class _Worker:
    """One guide with all the seed must know of her: where she worked since when, and how popular she is."""

    card: GuideCard
    code_id: int
    weight: float
    stays: list[tuple[dt.datetime, int]]
    until: dt.datetime

    def store_on(self, at: dt.datetime) -> int | None:
        """The store she worked in at that instant."""
        if at >= self.until:
            return None
        return next((store_id for since, store_id in reversed(self.stays) if since <= at), None)


@dataclasses.dataclass(frozen=True, slots=True)
class _Bond:
    """One binding before its member has an id."""

    worker: _Worker
    store_id: int
    bound_at: dt.datetime
    source: str
    code_id: int | None = None
    ended_at: dt.datetime | None = None
    end_reason: str = ""


def seed_chain(*, at: dt.datetime, actor: Actor) -> SeedSummary:
    """The demo chain exists. Seeds once: when its first store is there, nothing is written."""
    if apps.get_model("guides", "Store").objects.filter(code=PLACES[0].code).exists():
        return _summary(is_new=False)
    dice = random.Random(_DICE_SEED)  # noqa: S311  (invents people, keeps no secret)
    with transaction.atomic():
        store_ids = _seed_places(at=at, actor=actor)
        store_codes = {
            store_id: guide_services.open_channel_code(
                store_id=store_id, label="店内海报", actor=actor, at=at - dt.timedelta(days=1500)
            ).id
            for store_id in store_ids.values()
        }
        workers = _seed_guides(dice, store_ids, at=at, actor=actor)
        _seed_members(dice, workers, store_codes, at=at, actor=actor)
    return _summary(is_new=True)


def _summary(*, is_new: bool) -> SeedSummary:
    def count(label: str) -> int:
        return int(apps.get_model(label).objects.count())

    return SeedSummary(
        is_new=is_new,
        regions=count("guides.Region"),
        dealers=count("guides.Dealer"),
        stores=count("guides.Store"),
        guides=count("guides.Guide"),
        members=count("members.Member"),
        bindings=count("guides.Binding"),
    )


def _seed_places(*, at: dt.datetime, actor: Actor) -> dict[str, int]:
    """Regions, dealers and stores, and the binding policy; store ids by code."""
    opened_at = at - dt.timedelta(days=1600)
    root = guide_services.open_region(name=ROOT, actor=actor, at=opened_at)
    regions = {
        name: guide_services.open_region(name=name, parent_id=root.id, actor=actor, at=opened_at).id
        for name in REGIONS
    }
    dealers = {
        code: guide_services.open_dealer(code=code, name=name, contact=contact, actor=actor, at=opened_at).id
        for code, (name, contact) in DEALERS.items()
    }
    apps.get_model("guides", "BindingPolicy").objects.create(
        name="先绑定者保留", region=None, protected_days=None
    )
    return {
        place.code: guide_services.open_store(
            code=place.code,
            name=place.name,
            region_id=regions[place.region],
            dealer_id=None if place.dealer is None else dealers[place.dealer],
            address=place.address,
            latitude=place.latitude,
            longitude=place.longitude,
            phone=place.phone,
            opening_hours=place.opening_hours,
            actor=actor,
            at=opened_at,
        ).id
        for place in PLACES
    }


def _seed_guides(
    dice: random.Random, store_ids: dict[str, int], *, at: dt.datetime, actor: Actor
) -> list[_Worker]:
    """Five people a store, the third of whom manages it; some moved, some left."""
    taken = set(KNOWN_GUIDES.values())
    drawn = iter(new_names(dice, len(store_ids) * GUIDES_PER_STORE, taken=taken))
    came_from = {number: (store_code, days) for number, store_code, days in _MOVES}
    left = dict(_LEAVERS)
    workers = []
    for index, store_code in enumerate(
        itertools.chain.from_iterable([code] * GUIDES_PER_STORE for code in store_ids)
    ):
        number = f"G{index + 1:03d}"
        name, role = next(drawn), "manager" if index % GUIDES_PER_STORE == 2 else "guide"
        hired_at = _at_ten(at, days_ago=dice.randint(400, 1400))
        first_store_code = came_from.get(number, (store_code, 0))[0]
        card = guide_services.hire_guide(
            number=number,
            name=KNOWN_GUIDES.get(number, name),
            store_id=store_ids[first_store_code],
            role=role,
            actor=actor,
            at=hired_at,
        )
        worker = _Worker(
            card=card,
            code_id=guide_selectors.get_guide_code(card.id, at=at).id,
            weight=3.0 if number == "G001" else (0.3 if role == "manager" else 1.0) * dice.paretovariate(2.2),
            stays=[(hired_at, card.store.id)],
            until=at,
        )
        if number in came_from:
            moved_at = _at_ten(at, days_ago=came_from[number][1])
            guide_services.move_guide(
                guide_id=card.id, store_id=store_ids[store_code], role=role, actor=actor, at=moved_at
            )
            worker.stays.append((moved_at, store_ids[store_code]))
        if number in left:
            worker.until = _at_ten(at, days_ago=left[number])
            guide_services.leave_guide(guide_id=card.id, actor=actor, at=worker.until)
        workers.append(worker)
    return workers


def _seed_members(
    dice: random.Random, workers: list[_Worker], store_codes: dict[int, int], *, at: dt.datetime, actor: Actor
) -> None:
    moments, app_id = _moments(dice, at, MEMBER_COUNT), _app_id()
    phones = _phones(dice)
    people: list[MemberImport] = []
    bonds: list[list[_Bond]] = []
    for number, moment in enumerate(moments):
        source = _source(dice)
        history = _bonds(dice, workers, store_codes, source, moment, at)
        openid = openid_of(key_of(number), app_id)
        people.append(_person(dice, openid, source, moment, phones))
        bonds.append(history)
    member_ids = member_services.import_members(lines=people, app_id=app_id, actor=actor, at=at)
    lines = [
        BindingImport(
            member_id=member_id,
            guide_id=bond.worker.card.id,
            store_id=bond.store_id,
            bound_at=bond.bound_at,
            source=bond.source,
            ended_at=bond.ended_at,
            end_reason=bond.end_reason,
            channel_code_id=bond.code_id,
            is_new_follower=bond.code_id is not None and step == 0 and person.source == "scan",
        )
        for member_id, person, history in zip(member_ids, people, bonds, strict=True)
        for step, bond in enumerate(history)
    ]
    lines.sort(key=lambda line: (line.bound_at, line.member_id))
    guide_services.import_bindings(lines=lines, actor=actor, at=at)


def _person(
    dice: random.Random, openid: str, source: SourceKind, moment: dt.datetime, phones: Iterator[str]
) -> MemberImport:
    is_female = dice.random() < 0.84
    has_phone = source in {"pos", "import"} or dice.random() < 0.72
    has_openid = source not in {"pos", "import"} or dice.random() < 0.4
    is_named = has_phone or dice.random() < 0.45
    birthday = dt.date(dice.randint(1966, 2006), dice.randint(1, 12), dice.randint(1, 28))
    return MemberImport(
        registered_at=moment,
        source=source,
        name=new_name(dice, is_female=is_female) if is_named else "",
        phone=next(phones) if has_phone else "",
        gender="" if not is_named else "female" if is_female else "male",
        birthday=birthday if has_phone and dice.random() < 0.7 else None,
        openid=openid if has_openid else "",
        is_following=has_openid and dice.random() < 0.91,
    )


def _bonds(
    dice: random.Random,
    workers: list[_Worker],
    store_codes: dict[int, int],
    source: SourceKind,
    moment: dt.datetime,
    at: dt.datetime,
) -> list[_Bond]:
    """Her guides, the oldest first; nobody for most who just followed."""
    if source == "follow" and dice.random() < 0.8:
        return []
    worker, store_id = _pick(dice, workers, moment)
    kind, code_id = "import", None
    if source in {"scan", "follow", "mini_program"}:
        by_store = dice.random() < 0.27
        kind = "store_scan" if by_store else "scan"
        code_id = store_codes[store_id] if by_store else worker.code_id
    elif source == "share":
        kind = "share"
    elif source == "pos":
        kind = "pos"
    first = _Bond(worker, store_id, moment, kind, code_id)
    later = moment + (at - moment) * dice.uniform(0.2, 0.9)
    if dice.random() > 0.07 or at - moment < dt.timedelta(days=20):
        return [first]
    successor, place = _pick(dice, workers, later)
    if successor is worker:
        return [first]
    chosen, reason = dice.choice(
        (("member", "会员要求更换导购"), ("manager", "店长调整"), ("staff", "总部调整"))
    )
    ended = dataclasses.replace(first, ended_at=later, end_reason=reason)
    return [ended, _Bond(successor, place, later, chosen)]


def _pick(dice: random.Random, workers: list[_Worker], moment: dt.datetime) -> tuple[_Worker, int]:
    """A guide who worked then, the popular ones more often, and her store then."""
    while True:
        worker = dice.choices(workers, [worker.weight for worker in workers])[0]
        store_id = worker.store_on(moment)
        if store_id is not None:
            return worker, store_id


def _source(dice: random.Random) -> SourceKind:
    doors: tuple[SourceKind, ...] = ("scan", "follow", "mini_program", "pos", "import", "share")
    return dice.choices(doors, (64, 9, 6, 13, 5, 3))[0]


def _moments(dice: random.Random, at: dt.datetime, count: int) -> list[dt.datetime]:
    """Instants of the last year in order: more lately than long ago, more at weekends and in the evening."""
    today = clock.business_day(at)
    days = [today - dt.timedelta(days=back) for back in range(365)]
    loads = [WEEKDAY_LOAD[day.weekday()] * (1.0 + 1.5 * (365 - back) / 365) for back, day in enumerate(days)]
    moments: list[dt.datetime] = []
    while len(moments) < count:
        day = dice.choices(days, loads)[0]
        hour = dice.choices(list(HOURS), list(HOURS.values()))[0]
        time = dt.time(hour, dice.randrange(60), dice.randrange(60), tzinfo=clock.SHANGHAI)
        moment = dt.datetime.combine(day, time).astimezone(dt.UTC)
        if moment < at:
            moments.append(moment)
    return sorted(moments)


def _phones(dice: random.Random) -> Iterator[str]:
    seen: set[str] = set()
    while True:
        number = f"{dice.choice(_PREFIXES)}{dice.randrange(10**8):08d}"
        if number not in seen:
            seen.add(number)
            yield number


def _at_ten(at: dt.datetime, *, days_ago: int) -> dt.datetime:
    day = clock.business_day(at) - dt.timedelta(days=days_ago)
    return dt.datetime.combine(day, dt.time(10), clock.SHANGHAI).astimezone(dt.UTC)


def _app_id() -> str:
    try:
        return accounts.get_default_official().app_id
    except NoAccount:
        return _FALLBACK_APP_ID
