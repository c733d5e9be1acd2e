"""Conditions about who she is and how she came."""

import datetime as dt
from collections.abc import Mapping
from typing import ClassVar, Final

from django.db.models import Q
from django.db.models.functions import ExtractDay, ExtractMonth, Length
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core import clock
from core.labels import labels_of
from members.models import Gender, Member, MemberAddress, MemberStage, Source
from members.selectors.conditions.base import Condition, Values
from members.selectors.conditions.found import Found, RowTest
from members.selectors.conditions.parameters import (
    FOUND,
    Bounds,
    Choices,
    Parameter,
    Texts,
    Whole,
    Window,
    instants_of,
)
from members.selectors.profile import WANTED
from members.selectors.seen import find_cities, list_provinces

FAMILY: Final = _("会员资料")
_WANTED: Final = {"name": _("姓名"), "gender": _("性别"), "birthday": _("生日"), "phone": _("手机号")}
_STAGES: Final = tuple((one.value, one.label) for one in (MemberStage.PROSPECT, MemberStage.MEMBER))


class _OfMember(Condition):
    """Something that stands in her own row."""

    family = FAMILY
    facts = ("profile",)
    column: ClassVar[str]

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        value = Member.objects.filter(pk=member_id).values_list(self.column, flat=True).first()
        if isinstance(value, dt.datetime):
            return clock.business_day(value).isoformat()
        if isinstance(value, dt.date):
            return value.isoformat()
        return str(labels_of(Member, self.column).get(value, value)) if value else ""


def _test(where: Q) -> Found:
    return RowTest(Member.objects.all(), where, "id")


class GenderIs(_OfMember):
    """Her gender; unknown is one to choose."""

    code, label, column = "members.gender", _("性别"), "gender"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "genders": Choices(
            label=_("性别"), options=tuple((one.value or "unknown", one.label) for one in Gender)
        )
    }

    def found(self, values: Values, day: dt.date) -> Found:
        wanted = ["" if one == "unknown" else one for one in values["genders"]]
        return _test(Q(gender__in=wanted))

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        return super().tell(member_id, values, day) or str(Gender.UNKNOWN.label)


def years_before(day: dt.date, years: int) -> dt.date:
    """The same day so many years earlier; of 29 February the 28th where there is none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def age_on(birthday: dt.date, day: dt.date) -> int:
    """Completed years; who was born on 29 February grows older on 1 March of other years."""
    years = day.year - birthday.year
    return years - ((day.month, day.day) < (birthday.month, birthday.day))


class AgeWithin(_OfMember):
    """Completed years; without a birthday nobody is any age."""

    code, label, column = "members.age", _("年龄"), "birthday"
    parameters: ClassVar[Mapping[str, Parameter]] = {"years": Bounds(label=_("周岁"), most=120, unit=_("岁"))}

    def found(self, values: Values, day: dt.date) -> Found:
        bounds = values["years"]
        where = Q(birthday__lte=years_before(day, bounds.get("at_least", 0)))
        if "at_most" in bounds:
            where &= Q(birthday__gt=years_before(day, bounds["at_most"] + 1))
        return _test(where)

    def moves_daily(self, values: Values) -> bool:
        return True

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        born = Member.objects.filter(pk=member_id).values_list("birthday", flat=True).first()
        return "" if born is None else _now("%(n)s 岁") % {"n": age_on(born, day)}


def birthdays_from(day: dt.date, days: int) -> list[int]:
    """Month × 100 + day of that day and the following ones; 29 February is kept on the 28th of years without."""
    if days >= 365:
        days = 365
    found: dict[int, None] = {}
    for offset in range(days + 1):
        each = day + dt.timedelta(days=offset)
        found[each.month * 100 + each.day] = None
        if (each.month, each.day) == (2, 28) and (each + dt.timedelta(days=1)).month == 3:
            found[229] = None
    return list(found)


class BirthdayAhead(_OfMember):
    """Her birthday is today or on one of the following days."""

    code, label, column = "members.birthday_ahead", _("生日将到"), "birthday"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "days": Whole(label=_("今天起几天内（0 表示今天）"), most=365, unit=_("天内"))
    }

    def found(self, values: Values, day: dt.date) -> Found:
        born = Member.objects.alias(month_day=ExtractMonth("birthday") * 100 + ExtractDay("birthday"))
        wanted = birthdays_from(day, values["days"])
        return RowTest(born, Q(birthday__isnull=False, month_day__in=wanted), "id")

    def moves_daily(self, values: Values) -> bool:
        return True


class BirthdayMonth(_OfMember):
    """The month of her birthday."""

    code, label, column = "members.birthday_month", _("生日月份"), "birthday"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "months": Choices(
            label=_("月份"),
            options=tuple((f"{month:02d}", _("%(n)s 月") % {"n": month}) for month in range(1, 13)),
        )
    }

    def found(self, values: Values, day: dt.date) -> Found:
        return _test(Q(birthday__month__in=[int(month) for month in values["months"]]))


def _provinces() -> list[tuple[str, str]]:
    return [(province, province) for province in list_provinces()]


def _cities(text: str) -> list[tuple[str, str]]:
    """One that is a province as well stands alone."""
    return [
        (city, city if provinces in ("", city) else f"{city}（{provinces}）")
        for city, provinces in find_cities(text, limit=FOUND)
    ]


class PlaceIs(Condition):
    """Where she lives, by the names in her address."""

    code, label, family, facts = "members.place", _("居住地"), FAMILY, ("address",)
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "provinces": Texts(label=_("省（不选为任何省）"), options=_provinces, is_required=False),
        "cities": Texts(label=_("市（不选为任何市）"), find=_cities, is_required=False),
    }

    def found(self, values: Values, day: dt.date) -> Found:
        where = Q()
        if values.get("provinces"):
            where &= Q(province__in=values["provinces"])
        if values.get("cities"):
            where &= Q(city__in=values["cities"])
        # With nothing named: everybody whose place is known.
        return RowTest(MemberAddress.objects.all(), where or ~Q(province=""))

    def words(self, values: Values) -> str:
        return super().words(values) if values else _now("填过居住地")

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        row = MemberAddress.objects.filter(member_id=member_id).first()
        return "" if row is None else f"{row.province}{row.city}"


class SourceIs(_OfMember):
    """The door through which she came."""

    code, label, column = "members.source", _("来源"), "source"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "sources": Choices(label=_("来源"), options=tuple((one.value, one.label) for one in Source))
    }

    def found(self, values: Values, day: dt.date) -> Found:
        return _test(Q(source__in=values["sources"]))


class JoinedWithin(_OfMember):
    """The day on which she came."""

    code, label, column = "members.joined", _("加入时间"), "registered_at"
    parameters: ClassVar[Mapping[str, Parameter]] = {"when": Window(label=_("加入时间"))}

    def found(self, values: Values, day: dt.date) -> Found:
        since, until = instants_of(values["when"], day)
        where = Q() if since is None else Q(registered_at__gte=since)
        return _test(where if until is None else where & Q(registered_at__lt=until))


class StageIs(_OfMember):
    """A follower without a phone, or a member."""

    code, label, column = "members.stage", _("身份"), "stage"
    parameters: ClassVar[Mapping[str, Parameter]] = {"stages": Choices(label=_("身份"), options=_STAGES)}

    def found(self, values: Values, day: dt.date) -> Found:
        return _test(Q(stage__in=values["stages"]))


class Following(_OfMember):
    """She follows the official account."""

    code, label, column = "members.following", _("正在关注公众号"), "is_following"

    def found(self, values: Values, day: dt.date) -> Found:
        return _test(Q(is_following=True))

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        return _now("是") if Member.objects.filter(pk=member_id, is_following=True).exists() else _now("否")


class ProfileWhole(_OfMember):
    """Her name, gender, birthday and phone are known: what makes a profile complete, wherever it came from."""

    code, label, column = "members.whole", _("资料完整（姓名、性别、生日、手机号）"), "birthday"

    def found(self, values: Values, day: dt.date) -> Found:
        # Names are sealed: that there is one is all that can be asked.
        named = Member.objects.alias(name_length=Length("name"))
        where = Q(name_length__gt=0, birthday__isnull=False) & ~Q(gender="") & ~Q(phone_tail="")
        return RowTest(named, where, "id")

    def tell(self, member_id: int, values: Values, day: dt.date) -> str:
        row = Member.objects.filter(pk=member_id).first()
        missing = [] if row is None else [str(_WANTED[name]) for name in WANTED if not getattr(row, name)]
        return _now("缺%(what)s") % {"what": _now("、").join(missing)} if missing else _now("都有")
