"""A campaign as it is written: everything that is wrong with it at once, each with its place and code."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from campaigns.contracts.acts import Act
from campaigns.contracts.campaigns import (
    MOST_ACTS,
    MOST_DAYS,
    MOST_HOLDOUT_BP,
    MOST_VARIANTS,
    MOST_WINDOW_DAYS,
    CampaignDraft,
    ReadDraft,
    VariantDraft,
)
from campaigns.contracts.faults import Fault, pointer_part
from campaigns.models import CampaignGoal, CampaignKind, Segment
from campaigns.selectors.acts import ACT_KINDS, find_act, write_act
from campaigns.selectors.campaigns.limits import may_run_for
from campaigns.selectors.campaigns.times import read_recurrence, write_recurrence
from core.models import StaffAccount
from guides import selectors as guide_selectors
from members.selectors.conditions import BadValue, Parameter, Picks, Whole
from sales import selectors as sale_selectors

MOST_FEN: Final = 10**12
_NAME: Final = 40
_NOTE: Final = 200
# A member of a run keeps one reach, one coupon and one follow-up.
_ONCE: Final = ("reach", "coupon", "follow_up")
MEASURES: Final[Mapping[str, Parameter]] = {
    "categories": Picks(label=_("类目"), names=sale_selectors.list_category_names, key=str, most=50),
    "products": Picks(label=_("商品编码"), names=sale_selectors.list_product_names, key=str, most=50),
    "least_fen": Whole(label=_("至少消费（分）"), least=1, most=MOST_FEN),
}


def read_draft(draft: CampaignDraft, *, staff: StaffAccount | None) -> ReadDraft:
    """What can be kept of it, and what cannot. `staff`: whose part of the chain it must be; None: anybody's."""
    reader = _Reader(staff)
    values = {
        "name": reader.line("/name", draft.name, _NAME, is_required=True),
        "note": reader.line("/note", draft.note, _NOTE),
        "kind": reader.choice("/kind", draft.kind, CampaignKind.values),
        "goal": reader.choice("/goal", draft.goal, CampaignGoal.values),
        "window_days": reader.whole("/window_days", draft.window_days, 1, MOST_WINDOW_DAYS),
        "holdout_bp": reader.whole("/holdout_bp", draft.holdout_bp, 0, MOST_HOLDOUT_BP),
        "measure": reader.measure(draft.measure),
        "budget_fen": None
        if draft.budget_fen is None
        else reader.whole("/budget_fen", draft.budget_fen, 1, MOST_FEN),
        **reader.place(draft),
        **reader.segments(draft),
        **reader.times(draft),
    }
    variants = reader.variants(draft)
    gaps = tuple(_gaps(draft))
    return ReadDraft(values, variants, tuple(reader.faults), gaps)


def _gaps(draft: CampaignDraft) -> Iterator[Fault]:
    """What is not decided yet."""
    if draft.starts_at is None:
        yield Fault("/starts_at", "missing_field")
    if draft.ends_at is None:
        yield Fault("/ends_at", "missing_field")
    if not draft.variants:
        yield Fault("/variants", "empty_list")
    for place, variant in enumerate(draft.variants):
        if isinstance(variant.acts, (list, tuple)) and not variant.acts:
            yield Fault(f"/variants/{place}/acts", "empty_list")
    kinds = {
        act.get("do")
        for variant in draft.variants
        if isinstance(variant.acts, (list, tuple))
        for act in variant.acts
        if isinstance(act, dict)
    }
    if draft.kind in CampaignKind.values and draft.kind not in kinds:
        words = {"kind": CampaignKind(draft.kind).label, "act": ACT_KINDS[draft.kind].label}
        yield Fault("/kind", "no_act_of_kind", words)


class _Reader:
    """Notes what is wrong while it reads."""

    def __init__(self, staff: StaffAccount | None) -> None:
        self.faults: list[Fault] = []
        self._staff = staff

    def _bad(self, path: str, code: str, **details: Any) -> None:
        self.faults.append(Fault(path, code, details))

    def line(self, path: str, value: Any, most: int, *, is_required: bool = False) -> str:
        words = " ".join(value.split()) if isinstance(value, str) else "\0"
        if not words.isprintable() or len(words) > most or (is_required and not words):
            self._bad(path, "line_unusable", most=most)
        return words

    def choice(self, path: str, value: Any, known: list[str]) -> Any:
        if not isinstance(value, str) or value not in known:
            self._bad(path, "unknown_choice")
        return value

    def whole(self, path: str, value: Any, least: int, most: int) -> Any:
        return self._read(Whole(label="", least=least, most=most), value, path)

    def _read(self, parameter: Parameter, value: Any, path: str) -> Any:
        try:
            return parameter.read(value)
        except BadValue as bad:
            self._bad(f"{path}{bad.place}", bad.code, **bad.details)
            return value

    def measure(self, value: Any) -> Any:
        if not isinstance(value, dict):
            self._bad("/measure", "not_an_object")
            return value
        for name in value:
            if name not in MEASURES:
                self._bad(f"/measure/{pointer_part(name)}", "unknown_field")
        return {
            name: self._read(parameter, value[name], f"/measure/{name}")
            for name, parameter in MEASURES.items()
            if name in value
        }

    def place(self, draft: CampaignDraft) -> dict[str, Any]:
        """The part of the chain; what is not there and what is not the account's look the same."""
        chosen = {"region_id": draft.region_id, "store_id": draft.store_id}
        named = {name: one for name, one in chosen.items() if one is not None}
        if len(named) == 2:
            self._bad("/store", "one_place")
            return chosen
        for name, key in named.items():
            path = f"/{name.removesuffix('_id')}"
            if isinstance(key, bool) or not isinstance(key, int) or not 0 < key < 2**63:
                self._bad(path, "not_a_number")
            elif not self._knows(name, key):
                self._bad(path, "unknown_row", key=str(key))
        if not named and self._staff is not None and not self._staff.is_superuser:
            self._bad("/region", "missing_field")
        return chosen

    def _knows(self, name: str, key: int) -> bool:
        is_store = name == "store_id"
        stores, regions, _dealers = guide_selectors.list_place_names(
            store_ids=[key] if is_store else [], region_ids=[] if is_store else [key]
        )
        if key not in (stores if is_store else regions):
            return False
        return self._staff is None or may_run_for(
            self._staff, **{"region_id": None, "store_id": None, name: key}
        )

    def segments(self, draft: CampaignDraft) -> dict[str, Any]:
        named = {"segment": draft.segment, "excluded_segment": draft.excluded_segment}
        words = [one for one in named.values() if isinstance(one, str)]
        known = dict(Segment.objects.active().filter(public_id__in=words).values_list("public_id", "pk"))
        found: dict[str, Any] = {"segment_id": None, "excluded_segment_id": None}
        for name, public_id in named.items():
            if public_id == "" and name == "excluded_segment":
                continue
            if public_id == "":
                self._bad(f"/{name}", "missing_field")
            elif not isinstance(public_id, str) or public_id not in known:
                self._bad(f"/{name}", "unknown_row", key=str(public_id)[:40])
            else:
                found[f"{name}_id"] = known[public_id]
        if found["segment_id"] is not None and found["segment_id"] == found["excluded_segment_id"]:
            self._bad("/excluded_segment", "same_segment")
        return found

    def times(self, draft: CampaignDraft) -> dict[str, Any]:
        starts_at, ends_at = (
            self._moment("/starts_at", draft.starts_at),
            self._moment("/ends_at", draft.ends_at),
        )
        if starts_at is not None and ends_at is not None:
            if starts_at >= ends_at:
                self._bad("/ends_at", "upside_down")
            elif ends_at - starts_at > dt.timedelta(days=MOST_DAYS):
                self._bad("/ends_at", "too_long", most=MOST_DAYS)
        are_hours = True
        for name, hour in (("send_from", draft.send_from), ("send_until", draft.send_until)):
            if not isinstance(hour, dt.time) or hour.tzinfo is not None:
                self._bad(f"/{name}", "not_a_time")
                are_hours = False
        if are_hours and draft.send_from >= draft.send_until:
            self._bad("/send_until", "upside_down")
        rule, faults = read_recurrence(draft.recurrence, "/recurrence")
        self.faults += faults
        return {
            "starts_at": starts_at,
            "ends_at": ends_at,
            "send_from": draft.send_from,
            "send_until": draft.send_until,
            "recurrence": write_recurrence(rule),
        }

    def _moment(self, path: str, value: Any) -> dt.datetime | None:
        if value is None:
            return None
        if not isinstance(value, dt.datetime) or value.tzinfo is None or not 2000 <= value.year <= 2200:
            self._bad(path, "not_a_moment")
            return None
        return value

    def variants(self, draft: CampaignDraft) -> tuple[VariantDraft, ...]:
        if len(draft.variants) > MOST_VARIANTS:
            self._bad("/variants", "too_many", most=MOST_VARIANTS)
        return tuple(
            self._variant(variant, f"/variants/{place}")
            for place, variant in enumerate(draft.variants[:MOST_VARIANTS])
        )

    def _variant(self, variant: VariantDraft, path: str) -> VariantDraft:
        weight = self.whole(f"{path}/weight", variant.weight, 1, 100)
        if not isinstance(variant.acts, (list, tuple)):
            self._bad(f"{path}/acts", "not_a_list")
            return VariantDraft(weight)
        if len(variant.acts) > MOST_ACTS:
            self._bad(f"{path}/acts", "too_many", most=MOST_ACTS)
        acts: list[Act] = []
        for place, given in enumerate(variant.acts[:MOST_ACTS]):
            act, faults = find_act(given, f"{path}/acts/{place}")
            self.faults += faults
            if act is None:
                continue
            if act.kind in _ONCE and any(one.kind == act.kind for one in acts):
                label = ACT_KINDS[act.kind].label
                self._bad(f"{path}/acts/{place}/do", "twice_in_a_variant", act=label)
            if act.kind == "reach" and act.values.get("topic", "marketing") != "marketing":
                self._bad(f"{path}/acts/{place}/with/topic", "only_marketing")
            acts.append(act)
        return VariantDraft(weight, [write_act(act) for act in acts])
