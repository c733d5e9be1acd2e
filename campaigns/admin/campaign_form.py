"""What staff fill in for a campaign: its people, its times, its versions; and refusals at the fields that they name."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django import forms
from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.campaign_variant import VariantForm, variant_initial
from campaigns.admin.offered import with_chosen
from campaigns.contracts.campaigns import LETTERS, CampaignDraft, VariantDraft
from campaigns.errors import CampaignUnfit
from campaigns.models import Campaign, CampaignGoal, CampaignKind, CampaignPolicy, Segment
from campaigns.selectors.campaigns.times import EVERY_WORDS, WEEKDAYS
from core import clock
from core.admin import DressedForm, MomentInput, autocomplete_field, narrow
from coupons.admin.fields import ChipsField, ChipsWidget, TicksField, YuanField
from coupons.selectors.goods import GOODS
from guides import selectors as guide_selectors
from members.selectors.conditions import all_conditions, name_keys

_SIGNS: Final = re.compile(r"[，,、\s]+")
_MOST_SEGMENTS: Final = 500
_HOURS: Final = {"type": "time", "class": "xe-day-input"}


def _segments() -> list[tuple[str, str]]:
    rows = Segment.objects.active().order_by("-pk")[:_MOST_SEGMENTS]
    words = _now("%(name)s（%(n)s 位）")
    return [(row.public_id, words % {"name": row.name, "n": f"{row.member_count:,}"}) for row in rows]


def _time(label: Any, initial: dt.time | None = None, **kwargs: Any) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs=dict(_HOURS))
    return forms.TimeField(label=label, initial=initial, widget=widget, **kwargs)


class CampaignForm(DressedForm):
    """Everything but the versions. `policy`: head office's limits, which its hints say."""

    name = forms.CharField(label=_("名称"), max_length=40)
    note = forms.CharField(label=_("说明"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("类型"), choices=CampaignKind.choices)
    segment = forms.ChoiceField(label=_("发给哪个人群"))
    excluded_segment = forms.ChoiceField(label=_("排除哪个人群"), required=False)
    starts_at = forms.DateTimeField(label=_("开始时间"), required=False, widget=MomentInput())
    ends_at = forms.DateTimeField(
        label=_("截止时间"), required=False, widget=MomentInput(), help_text=_("过了这个时间，一条也不再发出")
    )
    every = forms.ChoiceField(
        label=_("重复"),
        required=False,
        choices=[("", _("只做一次")), *EVERY_WORDS.items()],
    )
    week_days = TicksField(label=_("周几"), choices=list(enumerate(WEEKDAYS, 1)), coerce=int)
    month_days = forms.CharField(
        label=_("每月几号"),
        required=False,
        max_length=100,
        help_text=_("如 1、15、31；这个月没有的日子算月底"),
    )
    at = _time(_("几点执行"), required=False)
    send_from = _time(_("每天几点起发"), dt.time(10))
    send_until = _time(_("每天几点停"), dt.time(20))
    budget = YuanField(label=_("预算（元）"), help_text=_("券按单张最高成本、短信按实际条数算；不填不限"))
    goal = forms.ChoiceField(label=_("目标"), choices=CampaignGoal.choices)
    window_days = forms.IntegerField(
        label=_("统计天数"),
        min_value=1,
        max_value=90,
        initial=14,
        help_text=_("发出后多少天内的购买算这次活动的"),
    )
    holdout = forms.DecimalField(
        label=_("对照组（%）"), min_value=0, max_value=50, decimal_places=1, initial=10
    )
    categories = TicksField(label=_("只算这些类目"))
    products = ChipsField(
        label=_("只算这些商品"),
        widget=ChipsWidget(
            lambda: reverse("admin:campaigns_segment_find", args=[GOODS, "products"]),
            lambda codes: name_keys(GOODS, "products", codes),
        ),
        help_text=_("不填都算"),
    )
    least = YuanField(label=_("至少消费（元）"))

    def __init__(self, request: HttpRequest, policy: CampaignPolicy, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offer_places(request)
        fields: Any = self.fields
        known = _segments()
        fields["segment"].choices = [("", _now("请选择")), *self._with_segment("segment", known)]
        fields["excluded_segment"].choices = [
            ("", _now("不排除")),
            *self._with_segment("excluded_segment", known),
        ]
        fields["holdout"].help_text = _now(
            "抽签决定，什么都收不到，用来比较效果；总部规定 %(least)s%% 到 %(most)s%%"
        ) % {"least": f"{policy.least_holdout_bp / 100:g}", "most": f"{policy.most_holdout_bp / 100:g}"}
        fields["send_until"].help_text = _now("总部规定 %(from)s 到 %(until)s") % {
            "from": f"{policy.earliest:%H:%M}",
            "until": f"{policy.latest:%H:%M}",
        }
        fields["categories"].choices = self._categories()
        self.dress_all()

    def _with_segment(self, name: str, known: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
        """A segment that was retired since stays chosen, and is refused with its reason."""
        chosen = self.initial.get(name, "")
        titles = dict(Segment.objects.filter(public_id=chosen).values_list("public_id", "name"))
        return with_chosen(known, [chosen] if chosen else [], titles)

    def _categories(self) -> list[tuple[str, Any]]:
        """The first of what there is, and what was chosen before."""
        picks: Any = all_conditions()[GOODS].parameters["categories"]
        given = self.data.getlist("categories") if hasattr(self.data, "getlist") else []
        chosen = [*given, *self.initial.get("categories", [])]
        return list({**dict(picks.find("")), **picks.names(chosen)}.items())

    def _offer_places(self, request: HttpRequest) -> None:
        """The parts of the chain that are the account's: a store by typing, a region from the tree."""
        staff: Any = request.user
        visible = guide_selectors.visible_region_ids(staff)
        regions = [
            (str(node.id), "　" * node.depth + node.name)
            for node in guide_selectors.list_region_tree()
            if visible is None or node.id in visible
        ]
        nothing = _now("全国（总部的活动）") if visible is None else _now("请选择区域或门店")
        self.fields["region"] = forms.ChoiceField(
            label=_("哪个区域的活动"), required=False, choices=[("", nothing), *regions]
        )
        store = apps.get_model("guides", "Store")
        stores = narrow(store, staff, store._default_manager.all())
        self.fields["store"] = autocomplete_field(
            Campaign, "store", stores, label=_("或者哪家门店的"), required=False
        )

    def clean_month_days(self) -> list[int]:
        words = [one for one in _SIGNS.split(self.cleaned_data["month_days"]) if one]
        if not all(one.isascii() and one.isdecimal() and len(one) <= 2 for one in words):
            raise forms.ValidationError(_("填 1 到 31 的数字，用顿号隔开"))
        return [int(one) for one in words]

    def recurrence(self) -> dict[str, Any]:
        """The calendar rule as JSON; what is missing of it is missing there too."""
        cleaned = self.cleaned_data
        every = cleaned.get("every", "")
        if not every:
            return {}
        rule: dict[str, Any] = {"every": every}
        if cleaned.get("at") is not None:
            rule["at"] = f"{cleaned['at']:%H:%M}"
        if every == "week":
            rule["days"] = list(cleaned.get("week_days", ()))
        elif every == "month":
            rule["days"] = cleaned.get("month_days", [])
        return rule

    def measure(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        found = {
            "categories": list(cleaned.get("categories", ())),
            "products": list(cleaned.get("products", ())),
            "least_fen": cleaned.get("least"),
        }
        return {name: value for name, value in found.items() if value}


# Fields of a draft that the form calls otherwise.
_FIELDS: Final = {"holdout_bp": "holdout", "budget_fen": "budget"}
_OF_RULE: Final = {"every": "every", "at": "at"}
_OF_MEASURE: Final = {"categories": "categories", "products": "products", "least_fen": "least"}


class CampaignForms:
    """The whole page: the form, and a form for each of the five versions there can be."""

    def __init__(
        self,
        request: HttpRequest,
        policy: CampaignPolicy,
        *,
        campaign: Campaign | None = None,
        data: Any = None,
    ) -> None:
        first = _asked(request) if campaign is None else initial_of(campaign)
        rows = [] if campaign is None else list(campaign.variants.order_by("letter"))
        self.main = CampaignForm(request, policy, data, initial=first)
        self.variants = [
            VariantForm(
                data, prefix=letter, initial=variant_initial(rows[place]) if place < len(rows) else {}
            )
            for place, letter in enumerate(LETTERS)
        ]
        self.count = max(1, len(rows))
        if data is not None:
            filled = [place for place, form in enumerate(self.variants) if form.is_filled]
            self.count = max(filled, default=0) + 1

    @property
    def lettered(self) -> Iterator[tuple[str, VariantForm, bool]]:
        """Each version with its letter, and whether it is open on the page."""
        for place, (letter, form) in enumerate(zip(LETTERS, self.variants, strict=True)):
            yield letter, form, place < self.count

    def is_valid(self) -> bool:
        # Every form is looked at, so that all of it is told at once.
        return all([self.main.is_valid(), *(form.is_valid() for form in self.variants)])

    def used(self) -> list[VariantForm]:
        return [form for form in self.variants if form.is_filled]

    def draft(self) -> CampaignDraft:
        """What was typed."""
        cleaned = self.main.cleaned_data
        store = cleaned.get("store")
        return CampaignDraft(
            name=cleaned.get("name", ""),
            note=cleaned.get("note", ""),
            kind=cleaned.get("kind", ""),
            region_id=int(cleaned["region"]) if cleaned.get("region") else None,
            store_id=None if store is None else store.pk,
            segment=cleaned.get("segment", ""),
            excluded_segment=cleaned.get("excluded_segment", ""),
            goal=cleaned.get("goal", ""),
            measure=self.main.measure(),
            window_days=cleaned.get("window_days") or 0,
            holdout_bp=int((cleaned.get("holdout") or 0) * 100),
            starts_at=cleaned.get("starts_at"),
            ends_at=cleaned.get("ends_at"),
            recurrence=self.main.recurrence(),
            send_from=cleaned.get("send_from") or dt.time(10),
            send_until=cleaned.get("send_until") or dt.time(20),
            budget_fen=cleaned.get("budget"),
            variants=tuple(
                VariantDraft(form.cleaned_data.get("weight") or 1, [act for act, _fields in form.acts()])
                for form in self.used()
            ),
        )

    def add_faults(self, refusal: CampaignUnfit) -> None:
        """Each fault stands at its field."""
        for fault in refusal.details["faults"]:
            form, field = self._place(fault["path"].split("/")[1:])
            form.add_error(field if field in form.fields else None, fault["words"])

    def _place(self, steps: Sequence[str]) -> tuple[forms.Form, str | None]:
        head, rest = steps[0], list(steps[1:])
        if head == "variants":
            return self._variant_place(rest)
        if head == "recurrence":
            is_week = self.main.cleaned_data.get("every") == "week"
            return self.main, _OF_RULE.get(
                rest[0] if rest else "every", "week_days" if is_week else "month_days"
            )
        if head == "measure":
            return self.main, _OF_MEASURE.get(rest[0] if rest else "", None)
        return self.main, _FIELDS.get(head, head)

    def _variant_place(self, steps: Sequence[str]) -> tuple[forms.Form, str | None]:
        used = self.used()
        if not steps or int(steps[0]) >= len(used):
            return self.variants[0], None
        form = used[int(steps[0])]
        if len(steps) == 2 and steps[1] == "weight":
            return form, "weight"
        if len(steps) < 3:
            return form, None
        acts = form.acts()
        if int(steps[2]) >= len(acts):
            return form, None
        fields = acts[int(steps[2])][1]
        if not fields:
            return form, None
        named = steps[4] if len(steps) > 4 else next(iter(fields))
        return form, fields.get(named, next(iter(fields.values())))


def _asked(request: HttpRequest) -> dict[str, Any]:
    """What the calendar knows of a new one: the day."""
    try:
        starts_at = dt.datetime.fromisoformat(request.GET.get("starts_at", "")[:16])
    except ValueError:
        return {}
    return {"starts_at": starts_at.replace(tzinfo=None)}


def initial_of(campaign: Campaign) -> dict[str, Any]:
    """What the form of a draft starts from."""
    rule, measure = campaign.recurrence, campaign.measure
    names = ("name", "note", "kind", "goal", "window_days", "send_from", "send_until")
    return {
        **{name: getattr(campaign, name) for name in names},
        "region": "" if campaign.region_id is None else str(campaign.region_id),
        "store": campaign.store_id,
        "segment": campaign.segment.public_id,
        "excluded_segment": "" if campaign.excluded_segment is None else campaign.excluded_segment.public_id,
        "starts_at": campaign.starts_at and campaign.starts_at.astimezone(clock.SHANGHAI),
        "ends_at": campaign.ends_at and campaign.ends_at.astimezone(clock.SHANGHAI),
        "every": rule.get("every", ""),
        "week_days": rule.get("days", []) if rule.get("every") == "week" else [],
        "month_days": "、".join(map(str, rule["days"])) if rule.get("every") == "month" else "",
        "at": dt.time.fromisoformat(rule["at"]) if rule else None,
        "budget": campaign.budget_fen,
        "holdout": f"{campaign.holdout_bp / 100:g}",
        "categories": measure.get("categories", []),
        "products": measure.get("products", []),
        "least": measure.get("least_fen"),
    }
