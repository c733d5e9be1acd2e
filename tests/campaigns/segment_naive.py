"""Every condition once more, in plain Python over rows that are already loaded: what the SQL must agree with.

Nothing of the conditions' own code is used here, so that an error has to be made twice to pass.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from core.clock import SHANGHAI
from tests.campaigns.segment_kit import DAY, World, model

Person = dict[str, Any]
Values = dict[str, Any]


def load(world: World) -> dict[int, Person]:
    """Every living member with her rows."""
    people: dict[int, Person] = {}
    for row in model("members.Member").objects.filter(merged_into=None).exclude(stage="erased"):
        people[row.pk] = {"row": row, "world": world}
    for label, key in (
        ("members.MemberAddress", "address"), ("members.MemberTier", "tier"),
        ("members.PointsAccount", "points"), ("sales.MemberMetrics", "metrics"),
    ):  # fmt: skip
        for row in model(label).objects.all():
            if row.member_id in people:
                people[row.member_id][key] = row
    for label, key, via in (
        ("members.MemberTag", "tags", None), ("members.PointsLot", "lots", "account"), ("guides.Binding", "bindings", None),
        ("sales.Sale", "sales", None), ("sales.SaleLine", "lines", "sale"), ("coupons.Coupon", "coupons", None),
        ("coupons.Redemption", "redemptions", "coupon"), ("campaigns.Reach", "reaches", None),
        ("campaigns.InboxMessage", "inbox", None),
        ("campaigns.SegmentMember", "lists", None),
        ("campaigns.CampaignMember", "places", None), ("members.Behaviour", "behaviours", None),
        ("sales.MemberDay", "days", None), ("campaigns.ReachBar", "bars", None), ("members.ConsentEntry", "consents", None),
    ):  # fmt: skip
        for row in model(label).objects.all():
            owner = row if via is None else getattr(row, via)
            if owner.member_id in people:
                people[owner.member_id].setdefault(key, []).append(row)
    return people


def members_of(rule: Any, people: dict[int, Person]) -> set[int]:
    return {pk for pk, person in people.items() if holds(rule, person)}


def holds(rule: Any, person: Person) -> bool:
    if "all" in rule:
        return all(holds(part, person) for part in rule["all"])
    if "any" in rule:
        return any(holds(part, person) for part in rule["any"])
    if "none" in rule:
        return not any(holds(part, person) for part in rule["none"])
    return bool(CHECKS[rule["is"]](person, rule.get("with", {})))


def day_of(at: dt.datetime) -> dt.date:
    return at.astimezone(SHANGHAI).date()


def inside(window: Values | None, day: dt.date | None) -> bool:
    if window is None:
        return day is not None
    if day is None:
        return False
    age = (DAY - day).days
    if "last_days" in window:
        return 0 <= age < int(window["last_days"])
    if "before_days" in window:
        return age >= int(window["before_days"])
    if "next_days" in window:
        return 0 <= -age <= int(window["next_days"])
    return str(window.get("from", "")) <= day.isoformat() <= str(window.get("until", "9999"))


def between(bounds: Values, number: int) -> bool:
    return bool(bounds.get("at_least", number) <= number <= bounds.get("at_most", number))


def age(person: Person, values: Values) -> bool:
    born = person["row"].birthday
    if born is None:
        return False
    years = DAY.year - born.year - ((DAY.month, DAY.day) < (born.month, born.day))
    return years >= 0 and between(values["years"], years)


def birthday_ahead(person: Person, values: Values) -> bool:
    born = person["row"].birthday
    if born is None:
        return False
    for offset in range(values["days"] + 1):
        day = DAY + dt.timedelta(days=offset)
        is_leap = day.year % 4 == 0
        kept = (2, 28) if (born.month, born.day) == (2, 29) and not is_leap else (born.month, born.day)
        if (day.month, day.day) == kept:
            return True
    return False


def place(person: Person, values: Values) -> bool:
    row = person.get("address")
    if row is None:
        return False
    if not values:
        return bool(row.province)
    return row.province in values.get("provinces", [row.province]) and row.city in values.get(
        "cities", [row.city]
    )


def tag(person: Person, values: Values) -> bool:
    has = {row.tag_id for row in person.get("tags", []) if row.removed_at is None}
    return (all if values.get("match") == "all" else any)(one in has for one in values["tags"])


def tier(person: Person, values: Values) -> bool:
    row, floor = person.get("tier"), person["world"].tiers[0]
    has = row.tier_id if row is not None else None
    if has is None:
        return floor in values["tiers"] and person["row"].stage == "member"
    return has in values["tiers"]


def points(person: Person, values: Values) -> bool:
    return between(values["points"], person["points"].balance if "points" in person else 0)


def points_expiring(person: Person, values: Values) -> bool:
    ending = 0
    for lot in person.get("lots", []):
        last = day_of(lot.expires_at - dt.timedelta(seconds=1))
        if DAY <= last <= DAY + dt.timedelta(days=values["days"]):
            ending += lot.remaining
    return bool(ending >= values["at_least"])


def live(person: Person) -> Any:
    return next((row for row in person.get("bindings", []) if row.ended_at is None), None)


def bound(person: Person, values: Values) -> bool:
    row = live(person)
    if row is None or not inside(values.get("when"), day_of(row.bound_at)):
        return False
    return row.source in values.get("sources", [row.source])


def of_guide(read: Callable[[Any], Any], name: str) -> Callable[[Person, Values], bool]:
    def check(person: Person, values: Values) -> bool:
        row = live(person)
        return row is not None and read(row.guide) in values[name]

    return check


def region(person: Person, values: Values) -> bool:
    row = live(person)
    return row is not None and any(f"/{one}/" in row.guide.store.region.path for one in values["regions"])


def purchases(person: Person, values: Values) -> bool:
    stores, count, amount = values.get("stores"), set(), 0
    for line in person.get("lines", []):
        sale = line.sale
        if (
            not sale.is_current
            or line.returned_quantity >= line.quantity
            or not inside(values.get("when"), sale.business_on)
        ):
            continue
        if stores and sale.store.code not in stores:
            continue
        if sale.channel not in values.get("channels", [sale.channel]):
            continue
        if line.category_code not in values.get("categories", [line.category_code]):
            continue
        if line.product.code not in values.get("products", [line.product.code]):
            continue
        count.add(sale.pk)
        amount += line.amount_fen - line.returned_fen
    if "count" not in values and "amount" not in values:
        return bool(count)
    return between(values.get("count", {}), len(count)) and between(values.get("amount", {}), amount)


def metric(name: str, part: str, year: str = "") -> Callable[[Person, Values], bool]:
    def check(person: Person, values: Values) -> bool:
        column = year if values.get("of") == "year" else name
        return between(values[part], getattr(person["metrics"], column) if "metrics" in person else 0)

    return check


def basket(person: Person, values: Values) -> bool:
    row = person.get("metrics")
    return row is not None and row.order_count > 0 and between(values["amount"], row.basket_fen)


def on_day(name: str) -> Callable[[Person, Values], bool]:
    return lambda person, values: inside(values["when"], getattr(person.get("metrics"), name, None))


def word(name: str, part: str) -> Callable[[Person, Values], bool]:
    return lambda person, values: getattr(person.get("metrics"), name, "unbought") in values[part]


def falling(person: Person, values: Values) -> bool:
    row = person.get("metrics")
    return row is not None and row.rfm_group is not None and row.rfm_group != row.coming_group


def coupons(key: str, check: Callable[[Any, Values], bool]) -> Callable[[Person, Values], bool]:
    def checked(person: Person, values: Values) -> bool:
        found = 0
        for row in person.get(key, []):
            coupon = row if key == "coupons" else row.coupon
            series = coupon.batch.template.series
            found += series in values.get("templates", [series]) and check(row, values)
        return bool(found >= values.get("at_least", 1))

    return checked


def messages(key: str, check: Callable[[Any, Values], bool]) -> Callable[[Person, Values], bool]:
    def checked(person: Person, values: Values) -> bool:
        rows = [row for row in person.get(key, []) if row.topic in values.get("topics", [row.topic])]
        return bool(sum(check(row, values) for row in rows) >= values.get("at_least", 1))

    return checked


def unused(row: Any, within: int = 10_000) -> bool:
    last = day_of(row.valid_until)  # noon: the last day itself
    return row.state == "issued" and DAY <= last <= DAY + dt.timedelta(days=within)


def sent(row: Any, values: Values) -> bool:
    return (
        row.state in {"sent", "delivered"}
        and row.channel in values.get("channels", [row.channel])
        and row.importance in values.get("importances", [row.importance])
        and inside(values.get("when"), day_of(row.sent_at))
    )


def behaviour(person: Person, values: Values) -> bool:
    rows = [
        row
        for row in person.get("behaviours", [])
        if row.kind == values["kind"]
        and row.subject in values.get("subjects", [row.subject])
        and inside(values.get("when"), day_of(row.happened_at))
    ]
    return bool((len(rows) >= values.get("at_least", 1)) == (values["whether"] == "did"))


def came(person: Person, values: Values) -> bool:
    """By her first day of the period, as the totals have it."""
    days = sorted(
        (row for row in person.get("days", []) if inside(values["when"], row.day)), key=lambda row: row.day
    )
    named = [name for name in ("stores", "regions", "dealers", "guides") if values.get(name)]
    here = [row for row in days if not named or any(_lies(row, name, values[name]) for name in named)]
    if values.get("did") == "bought":
        here = [row for row in here if row.order_count]
    if not here:
        return False
    window = values["when"]
    since = window.get("last_days")
    first = DAY - dt.timedelta(days=since - 1) if since else dt.date.fromisoformat(window["from"])
    before = days[0].previous_on
    stood = "new" if before is None else "returning" if (first - before).days <= 30 else "dormant"
    return stood in values.get("stood", [stood])


def _lies(row: Any, name: str, wanted: list[Any]) -> bool:
    if name == "guides":
        return bool(model("guides.Guide").objects.filter(pk=row.guide_ref, number__in=wanted).exists())
    store = model("guides.Store").objects.filter(pk=row.store_ref).first()
    if store is None:
        return False
    if name == "stores":
        return store.code in wanted
    if name == "dealers":
        return store.dealer is not None and store.dealer.code in wanted
    return any(f"/{one}/" in store.region.path for one in wanted)


def clicked(person: Person, values: Values) -> bool:
    found = [
        row
        for row in person.get("places", [])
        if row.clicked_at is not None
        and inside(values.get("when"), day_of(row.clicked_at))
        and row.run.campaign.public_id in values.get("campaigns", [row.run.campaign.public_id])
    ]
    return len(found) >= int(values.get("at_least", 1))


def turned_away(person: Person, values: Values) -> bool:
    """Between her first message and a week after her last one."""
    rows = [row for row in person.get("reaches", []) if row.topic in values.get("topics", [row.topic])]
    days = [day_of(row.sent_at) for row in rows if sent(row, values)]
    row = person["row"]
    turned = {
        "unfollowed": [] if row.is_following or row.follow_changed_at is None else [row.follow_changed_at],
        "barred": [each.barred_at for each in person.get("bars", [])],
        "withdrew": [
            each.at for each in person.get("consents", []) if (each.kind.code, each.action) == ("marketing", "withdrawn")
        ],
    }  # fmt: skip
    return any(
        min(days) <= day_of(at) <= max(days) + dt.timedelta(days=7)
        for way in values.get("ways", turned)
        for at in turned[way]
        if days
    )


def in_segment(person: Person, values: Values) -> bool:
    """On a list, or meant by a living segment's rule as it stands."""
    living = person["world"].living
    return any(row.segment.public_id in values["segments"] for row in person.get("lists", [])) or any(
        holds(living[public_id], person) for public_id in values["segments"] if public_id in living
    )


CHECKS: dict[str, Callable[[Person, Values], bool]] = {
    "members.gender": lambda p, v: (p["row"].gender or "unknown") in v["genders"],
    "members.age": age,
    "members.birthday_ahead": birthday_ahead,
    "members.birthday_month": lambda p, v: p["row"].birthday is not None and f"{p['row'].birthday.month:02}" in v["months"],
    "members.place": place,
    "members.source": lambda p, v: p["row"].source in v["sources"],
    "members.joined": lambda p, v: inside(v["when"], day_of(p["row"].registered_at)),
    "members.stage": lambda p, v: p["row"].stage in v["stages"],
    "members.following": lambda p, v: p["row"].is_following,
    "members.whole": lambda p, v: all((p["row"].name, p["row"].gender, p["row"].birthday, p["row"].phone)),
    "members.tag": tag,
    "members.tier": tier,
    "members.points": points,
    "members.points_expiring": points_expiring,
    "members.behaviour": behaviour,
    "guides.bound": bound,
    "guides.guide": of_guide(lambda guide: guide.number, "guides"),
    "guides.store": of_guide(lambda guide: guide.store.code, "stores"),
    "guides.region": region,
    "guides.dealer": of_guide(lambda guide: guide.store.dealer and guide.store.dealer.code, "dealers"),
    "sales.purchases": purchases,
    "sales.came": came,
    "sales.amount": metric("amount_fen", "amount", "year_amount_fen"),
    "sales.orders": metric("order_count", "count", "year_order_count"),
    "sales.basket": basket,
    "sales.first": on_day("first_on"),
    "sales.last": on_day("last_on"),
    "sales.next": on_day("next_on"),
    "sales.rfm_group": word("rfm_group", "groups"),
    "sales.falling": falling,
    "sales.life_stage": word("stage", "stages"),
    "sales.interval_tier": word("interval_tier", "tiers"),
    "coupons.held": coupons("coupons", lambda row, v: unused(row)),
    "coupons.expiring": coupons("coupons", lambda row, v: unused(row, v["days"])),
    "coupons.received": coupons("coupons", lambda row, v: inside(v.get("when"), day_of(row.issued_at))),
    "coupons.redeemed": coupons(
        "redemptions", lambda row, v: row.reversed_at is None and inside(v.get("when"), day_of(row.redeemed_at))
    ),
    "campaigns.reached": messages("reaches", sent),
    "campaigns.segment": in_segment,
    "campaigns.clicked": clicked,
    "campaigns.turned_away": turned_away,
    "campaigns.read": messages("inbox", lambda row, v: row.read_at is not None and inside(v.get("when"), day_of(row.read_at))),
}  # fmt: skip
