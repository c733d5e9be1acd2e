"""A small population of which everything a segment may ask is made up at random, and that as plain Python sees it."""

import dataclasses
import datetime as dt
import random
from typing import Any, Final

from django.apps import apps

from campaigns import services as campaign_services
from campaigns.models import CampaignMember, CampaignRun, Segment
from core.actor import Actor
from core.clock import SHANGHAI
from guides import selectors as guide_selectors
from members import services as member_services
from tests.campaigns.run_kit import make_campaign
from tests.cast import Cast, make_cast, make_guide, make_store
from tests.coupons.kit import make_batch, make_template

DAY: Final = dt.date(2026, 11, 28)
SIZE: Final = 60
TESTER: Final = Actor.system("segments")
PLACES: Final = (("广东省", "广州市"), ("广东省", "深圳市"), ("浙江省", "杭州市"), ("", ""))
CATEGORIES: Final = ("tops", "shoes", "bags")
PRODUCTS: Final = ("A1", "B2", "C3")
TOPICS: Final = ("coupon_expiring", "points_expiring")
DEEDS: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("product_viewed", {"product": "A1"}),
    ("product_viewed", {"product": "B2"}),
    ("page_viewed", {"page": "pages/index"}),
    ("searched", {"words": "大衣"}),
    ("visited", {"page": "pages/index"}),
    ("shared", {"page": "pages/index", "product": "A1"}),
    ("cart_added", {"product": "A1"}),
    ("cart_removed", {"product": "A1"}),
    ("campaign_viewed", {"campaign": "double11"}),
)
CHANNELS: Final = ("template", "inbox")


def model(label: str) -> Any:
    return apps.get_model(label)


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), SHANGHAI)


@dataclasses.dataclass(repr=False)
class World:
    """What there is to choose from; `people` are the ids of all rows, living and not."""

    cast: Cast
    people: list[int]
    tags: list[int]
    tiers: list[int]  # the lowest is everybody's
    series: list[str]
    listed: str = ""  # a list of every third
    living: dict[str, Any] = dataclasses.field(default_factory=dict)  # the rules of living segments
    campaigns: list[str] = dataclasses.field(default_factory=list)

    def __repr__(self) -> str:
        return "World"


def make_world(seed: int = 7) -> World:
    """Sixty members with everything, some with nothing; one merged away and one erased."""
    chance = random.Random(seed)
    cast = make_cast()
    make_guide("T009", "周敏", make_store("T09", "城西店", cast.east.id, dealer_id=_dealer()).id)
    group = model("members.TagGroup").objects.create(name="肤质")
    tags = [
        model("members.Tag").objects.create(group=group, name=name).pk for name in ("干性", "油性", "混合")
    ]
    tiers = [
        model("members.Tier").objects.create(rank=1, name="普卡").pk,
        model("members.Tier").objects.create(rank=2, name="银卡", spend_fen=100_000).pk,
        model("members.Tier").objects.create(rank=3, name="金卡", spend_fen=500_000).pk,
    ]
    for code in CATEGORIES:
        model("sales.Category").objects.create(code=code, name=code)
    for code in PRODUCTS:
        model("sales.Product").objects.create(code=code, name=code, created_at=noon(DAY))
    templates = [make_template(title="满减"), make_template(title="生日礼")]
    batches = [make_batch(1_000, template_id=template) for template in templates]
    found = model("coupons.CouponTemplate").objects.in_bulk(templates)
    series = [found[template].series for template in templates]
    people = [_member(chance, number) for number in range(SIZE)]
    world = World(cast, people, tags, tiers, series)
    for number, member_id in enumerate(people):
        if number % 10:
            fill(world, chance, member_id, batches)
    _visits(world, random.Random(seed))
    _turnings(world, random.Random(seed))
    members = model("members.Member").objects
    members.filter(pk=people[1]).update(merged_into_id=people[2])
    members.filter(pk=people[3]).update(stage="erased", erased_at=noon(DAY))
    world.campaigns = _campaigns(world, random.Random(seed))
    world.listed = campaign_services.create_list(name="三分之一", member_ids=people[::3], actor=TESTER)
    return world


def make_living(world: World) -> dict[str, Any]:
    """One of conditions, and one that asks that one and the list."""
    women = {"is": "members.gender", "with": {"genders": ["female"]}}
    rule: dict[str, Any] = {"any": [{"none": [women]}, {"is": "guides.bound"}]}
    first = campaign_services.create_segment(name="男的或有导购的", kind="living", rule=rule, actor=TESTER)
    asks = {"is": "campaigns.segment", "with": {"segments": [first, world.listed]}}
    second = {"all": [asks, {"is": "members.following"}]}
    return {
        first: rule,
        campaign_services.create_segment(name="其中关注的", kind="living", rule=second, actor=TESTER): second,
    }


def _visits(world: World, chance: random.Random) -> None:
    """The days of the nine numbers: in stores and in none, with a guide's and without, some with purchases."""
    guides = model("guides.Guide").objects.order_by("number").values_list("pk", flat=True)
    stores = model("guides.Store").objects.order_by("code").values_list("pk", flat=True)
    for place in guide_selectors.list_all_store_places():
        found = [("region", region_id) for region_id in place.region_ids]
        for scope, ref in [*found, *([("dealer", place.dealer_id)] if place.dealer_id else [])]:
            model("sales.NinePlace").objects.create(scope=scope, ref=ref, store_ref=place.store_id)
    for number, member_id in enumerate(world.people):
        bought: dt.date | None = None
        for ago in sorted(chance.sample([0, 1, 3, 20, 25, 40, 51, 100, 400], k=number % 5), reverse=True):
            day, before = DAY - dt.timedelta(days=ago), bought
            for store_id in chance.sample([0, *stores], k=chance.choice([1, 1, 2])):
                orders = chance.choice([0, 0, 1, 2])
                model("sales.MemberDay").objects.create(
                    member_id=member_id, day=day, store_ref=store_id, guide_ref=chance.choice([0, *guides]),
                    traces=1 if orders else 2, order_count=orders, net_fen=orders * 9_900, previous_on=before,
                )  # fmt: skip
                bought = day if orders else bought


def _turnings(world: World, chance: random.Random) -> None:
    """Some unfollowed, some cannot be written to, some took a consent back, before messages, between them and long after."""
    kinds = [
        model("members.ConsentKind").objects.get_or_create(code=code, defaults={"title": code})[0]
        for code in ("marketing", "charter")
    ]
    written: dict[str, Any] = {"title": "…", "body": "…", "created_at": noon(DAY), "published_at": noon(DAY)}
    texts = {
        kind.code: model("members.ConsentText").objects.get_or_create(kind=kind, version=1, defaults=written)[
            0
        ]
        for kind in kinds
    }

    def sometime() -> dt.datetime:
        return noon(DAY - dt.timedelta(days=chance.choice([-3, 0, 1, 20, 33, 36, 41])))

    for member_id in world.people[::2]:
        model("members.Member").objects.filter(pk=member_id).update(follow_changed_at=sometime())
        if chance.random() < 0.4:
            model("campaigns.ReachBar").objects.create(
                member_id=member_id,
                account_id=world.cast.account_id,
                code="wechat.blocked",
                barred_at=sometime(),
            )
        for kind in chance.sample(kinds, k=chance.choice([0, 1, 2])):
            model("members.ConsentEntry").objects.create(
                member_id=member_id, kind=kind, text=texts[kind.code], action=chance.choice(["agreed", "withdrawn"]),
                door="mini_program", at=sometime(), actor="she", text_digest="x",
            )  # fmt: skip


def _campaigns(world: World, chance: random.Random) -> list[str]:
    """Two that are over, one of them with two runs; who opened what, sometimes twice."""
    made = []
    for number in range(2):
        segment = Segment.objects.create(
            name=f"活动{number}", kind="listed", created_at=noon(DAY), changed_at=noon(DAY), is_active=False
        )
        campaign = make_campaign(segment, state="ended", next_run_at=None, ended_at=noon(DAY))
        made.append(campaign.public_id)
        for run_number in range(2 - number):
            run = CampaignRun.objects.create(
                campaign=campaign, number=run_number + 1, due_at=noon(DAY - dt.timedelta(days=run_number)), state="released",
                launched_at=noon(DAY), released_at=noon(DAY), window_ends_at=noon(DAY),
            )  # fmt: skip
            for member_id in chance.sample(world.people, k=SIZE // 2):
                ago = chance.choice([None, None, 0, 3, 20, 40])
                CampaignMember.objects.create(
                    run=run, member_id=member_id, letter="A", state="done",
                    clicked_at=None if ago is None else noon(DAY - dt.timedelta(days=ago)),
                )  # fmt: skip
    return made


def _dealer() -> int:
    pk: int = model("guides.Dealer").objects.create(code="D01", name="经销商甲").pk
    return pk


def _member(chance: random.Random, number: int) -> int:
    birthday = None
    if chance.random() < 0.8:
        born = dt.date(chance.randint(1950, 2015), chance.randint(1, 12), chance.randint(1, 28))
        birthday = chance.choice([born, dt.date(2000, 2, 29), DAY.replace(year=1990)])
    row = model("members.Member").objects.create(
        name=chance.choice([f"会员{number}", f"会员{number}", ""]),
        stage=chance.choice(["member", "member", "prospect"]),
        gender=chance.choice(["", "female", "male"]),
        birthday=birthday,
        phone=(phone := chance.choice([f"1390000{number:04}", ""])),
        phone_tail=phone[-4:],
        source=chance.choice(["pos", "scan", "share"]),
        is_following=chance.random() < 0.5,
        registered_at=noon(DAY - dt.timedelta(days=chance.randint(0, 60))),
    )
    pk: int = row.pk
    return pk


def fill(world: World, chance: random.Random, member_id: int, batches: list[int]) -> None:
    """Everything but herself."""
    if chance.random() < 0.7:
        province, city = chance.choice(PLACES)
        model("members.MemberAddress").objects.create(
            member_id=member_id, province=province, city=city, changed_at=noon(DAY)
        )
    for tag in world.tags:
        if chance.random() < 0.4:
            removed = noon(DAY) if chance.random() < 0.3 else None
            model("members.MemberTag").objects.create(
                member_id=member_id, tag_id=tag, tagged_at=noon(DAY), removed_at=removed
            )
    _standing(world, chance, member_id)
    _binding(chance, member_id)
    _purchases(world, chance, member_id)
    for batch in batches:
        for ordinal in range(1, chance.randint(1, 4)):
            _coupon(world, chance, member_id, batch, ordinal)
    _messages(chance, member_id)
    _behaviours(chance, member_id)


def _standing(world: World, chance: random.Random, member_id: int) -> None:
    if chance.random() < 0.5:
        tier = chance.choice([None, *world.tiers[1:]])
        ends = None if tier is None else DAY + dt.timedelta(days=90)
        model("members.MemberTier").objects.create(
            member_id=member_id, tier_id=tier, since=DAY, earned_tier_id=tier, valid_until=ends
        )
    if chance.random() < 0.6:
        balance = chance.choice([0, 5, 100, 1_000])
        account = model("members.PointsAccount").objects.create(
            member_id=member_id, balance=balance, opened_at=noon(DAY)
        )
        for number in range(chance.randint(0, 3)):
            entry = model("members.PointsEntry").objects.create(
                account=account, origin=account, kind="earn", delta=50, asked=50, at=noon(DAY),
                source_key=f"seg:{member_id}:{number}", balance_after=balance,
            )  # fmt: skip
            ends_on = DAY + dt.timedelta(days=chance.choice([-3, 1, 5, 30, 200]))
            model("members.PointsLot").objects.create(
                account=account, entry=entry, granted=50, remaining=chance.choice([0, 20, 50]),
                expires_at=dt.datetime.combine(ends_on, dt.time.min, SHANGHAI),
            )  # fmt: skip


def _binding(chance: random.Random, member_id: int) -> None:
    guides = list(model("guides.Guide").objects.order_by("number"))
    for is_over in (True, False):
        if chance.random() < 0.5:
            guide = chance.choice(guides)
            bound_at = noon(DAY - dt.timedelta(days=chance.randint(1, 40)))
            model("guides.Binding").objects.create(
                member_id=member_id, guide=guide, store=guide.store, bound_at=bound_at,
                source=chance.choice(["scan", "pos"]), ended_at=noon(DAY) if is_over else None,
            )  # fmt: skip


def _purchases(world: World, chance: random.Random, member_id: int) -> None:
    stores = [world.cast.store.id, world.cast.other_store.id]
    products = list(model("sales.Product").objects.order_by("code"))
    for number in range(chance.choice([0, 0, 1, 2, 4])):
        day = DAY - dt.timedelta(days=chance.choice([0, 3, 20, 100, 400]))
        returned = chance.random() < 0.2
        sale = model("sales.Sale").objects.create(
            source="pos", order_no=f"seg-{member_id}-{number}", is_current=chance.random() < 0.9,
            digest=b"x", member_id=member_id, store_id=chance.choice(stores),
            channel=chance.choice(["store", "online"]), sold_at=noon(day), business_on=day, list_fen=20_000,
            amount_fen=20_000, unit_count=2, recorded_at=noon(day),
            returned_fen=20_000 if returned else 0, returned_unit_count=2 if returned else 0,
        )  # fmt: skip
        for line in (1, 2):
            model("sales.SaleLine").objects.create(
                sale=sale, number=line, product=chance.choice(products), category_code=chance.choice(CATEGORIES),
                quantity=1, list_fen=10_000, amount_fen=10_000,
                returned_quantity=int(returned), returned_fen=10_000 if returned else 0,
            )  # fmt: skip
    if chance.random() < 0.8:
        _metrics(chance, member_id)


def _metrics(chance: random.Random, member_id: int) -> None:
    values: dict[str, Any] = {"member_id": member_id, "computed_on": DAY}
    if chance.random() < 0.7:
        last = DAY - dt.timedelta(days=chance.choice([0, 10, 45, 200]))
        values |= {
            "order_count": chance.randint(1, 6), "year_order_count": chance.randint(0, 3),
            "amount_fen": chance.choice([5_000, 50_000, 500_000]), "last_on": last, "basket_fen": chance.choice([5_000, 9_900]),
            "year_amount_fen": chance.choice([0, 20_000]), "first_on": last - dt.timedelta(days=chance.choice([0, 30])),
            "next_on": chance.choice([None, DAY + dt.timedelta(days=chance.randint(-5, 20))]),
            "rfm_group": chance.randint(0, 7), "coming_group": chance.randint(0, 7),
            "stage": chance.choice(["new", "active", "lost"]), "interval_tier": chance.choice(["core", "ordinary"]),
        }  # fmt: skip
    model("sales.MemberMetrics").objects.create(**values)


def _coupon(world: World, chance: random.Random, member_id: int, batch: int, ordinal: int) -> None:
    state = chance.choice(["issued", "issued", "redeemed", "expired", "voided"])
    issued = noon(DAY - dt.timedelta(days=chance.choice([0, 5, 50])))
    coupon = model("coupons.Coupon").objects.create(
        code=f"{batch:04}{member_id:08}{ordinal:04}"[-16:], batch_id=batch, shard=0, member_id=member_id,
        received_by=member_id, ordinal=ordinal, state=state, valid_from=issued, door="system", issued_at=issued,
        valid_until=noon(DAY + dt.timedelta(days=chance.choice([1, 5, 30]))),
        request_key=f"{member_id}:{ordinal}",
    )  # fmt: skip
    if state == "redeemed":
        model("coupons.Redemption").objects.create(
            coupon=coupon, request_id=f"seg:{coupon.pk}", store_id=world.cast.store.id, channel="store",
            order_no=f"o{coupon.pk}", amount_fen=20_000, discount_fen=3_000, recorded_at=noon(DAY),
            redeemed_at=noon(DAY - dt.timedelta(days=chance.choice([0, 4, 30]))),
        )  # fmt: skip


def _messages(chance: random.Random, member_id: int) -> None:
    for number in range(chance.randint(0, 4)):
        sent = noon(DAY - dt.timedelta(days=chance.choice([0, 3, 40])))
        state = chance.choice(["sent", "delivered", "skipped"])
        key, topic = f"seg:{member_id}:{number}", chance.choice(TOPICS)
        model("campaigns.Reach").objects.create(
            reason_key=key, member_id=member_id, topic=topic, importance="normal", channels="inbox", state=state,
            channel=chance.choice(CHANNELS), queued_at=sent, not_before=sent,
            expires_at=sent + dt.timedelta(days=3), finished_at=sent, sent_at=None if state == "skipped" else sent,
        )  # fmt: skip
        model("campaigns.InboxMessage").objects.create(
            member_id=member_id, topic=topic, title="好", text="好", reason_key=key, sent_at=sent,
            read_at=sent if chance.random() < 0.5 else None,
        )  # fmt: skip


def _behaviours(chance: random.Random, member_id: int) -> None:
    told = [
        {
            "key": f"seg-{member_id}-{number:04}", "kind": kind, "with": fields, "member": {"kind": "member_code", "value": code},
            "at": noon(DAY - dt.timedelta(days=chance.choice([0, 3, 20]))).isoformat(),
        }
        for number in range(chance.choice([0, 1, 3, 6]))
        for code in [model("members.Member").objects.values_list("code", flat=True).get(pk=member_id)]
        for kind, fields in [chance.choice(DEEDS)]
    ]  # fmt: skip
    if told:
        member_services.record_told_behaviours(client_id=1, told=told, at=noon(DAY))
