"""The parts of segment pages that ask the database: the count beside a rule, what members are like, why one is in."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _now

from campaigns.admin.segment_form import (
    ROOT,
    Draft,
    apply_act,
    draft_from_post,
    menu,
    root_of,
    rule_of,
    sight_of,
    wrong_lines,
)
from campaigns.contracts.segments import HOW_LABELS, Group, Verdict
from campaigns.errors import RuleUnfit, SegmentTooSlow
from campaigns.selectors import segments
from core.admin import BaseAdmin, rule_url
from members import selectors as member_selectors
from members.contracts import MemberCard
from members.selectors.conditions import Texts, all_conditions, find_keys, found_by_typing

_PARTS = "admin/xiaoer/segments"
_MOST_MEANT = 20
# Two hundred keys that were pasted.
_MOST_TYPED = 4_000
_MAY_LIST: Final = ("campaigns.view_segment", "campaigns.view_segmentmember")
_ON_PAGE: Final = 50
_IS_ID: Final = re.compile(r"[0-9]{1,18}")
# A longer rule stands in no address; its segment is saved, and has a list.
_LONGEST_ADDRESS: Final = 2_000


class SegmentSight(BaseAdmin):
    """Mix in: the fragments of the builder and of a segment's page. They store nothing."""

    def sight_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("build/", "campaigns_segment_build", self.build_view),
            ("count/", "campaigns_segment_count", self.count_view),
            ("pivots/", "campaigns_segment_pivots", self.pivots_view),
            ("explain/", "campaigns_segment_explain", self.explain_view),
            ("find/<str:code>/<str:name>/", "campaigns_segment_find", self.find_view),
            ("people/", "campaigns_segment_people", self.people_view),
        )

    def build_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The tree after something was added or taken away."""
        self._guard_writing(request)
        act = request.POST.get("act", "")
        path = act.partition(":")[2]
        root = root_of(path)
        tree = draft_from_post(request.POST, root)
        apply_act(tree, act, request.POST.get(f"new.{path}", ""), root=root)
        answer = self._part(request, "_tree", {"tree": sight_of(tree, root=root), "menu": menu()})
        answer["HX-Trigger-After-Swap"] = "segment-changed"
        return answer

    def count_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """How many they are now, and ten of them, of those whom the account sees."""
        self._guard_writing(request)
        root = request.POST.get("root", ROOT)
        counted = self.count_words(request, draft_from_post(request.POST, root))
        return self._part(request, "_count" if root == ROOT else "_number", counted)

    def count_words(self, request: HttpRequest, draft: Draft) -> dict[str, Any]:
        """The count of a rule as it was typed, or what is wrong with it so far; what is missing is no error here."""
        staff: Any = request.user
        try:
            tree = segments.read_rule(rule_of(draft))
        except RuleUnfit as unfit:
            faults = unfit.details["faults"]
            return {"fault_count": len(faults), "wrong": wrong_lines(draft, faults)}
        counted = segments.count_members(tree, staff=staff)
        context: dict[str, Any] = {"counted": counted, "is_part": segments.scope_of(staff) is not None}
        context["people_url"] = people_url(request, segments.write_rule(tree), "")
        if counted.member_count:
            try:
                context["sample"] = list(map(_shown, segments.list_sample(tree, staff=staff)))
            except SegmentTooSlow:
                context["sample"] = []
        return context

    def pivots_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The members by tier, gender, age, RFM group and store."""
        self._guard(request)
        context: dict[str, Any] = {}
        try:
            tree = self._tree_of(request)
            context["pivots"] = segments.list_pivots(tree, staff=request.user)  # type: ignore[arg-type]
        except (RuleUnfit, SegmentTooSlow) as refusal:
            context["fault"] = refusal.message
        return self._part(request, "_pivots", context)

    def explain_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Why the member who was typed is in, or not; of those whom the account sees."""
        self._guard(request)
        context: dict[str, Any] = {}
        try:
            tree = self._tree_of(request)
            context = self._explained(request, tree, request.POST.get("who", ""))
        except (RuleUnfit, SegmentTooSlow) as refusal:
            context["fault"] = refusal.message
        return self._part(request, "_why", context)

    def find_view(self, request: HttpRequest, code: str, name: str, model_admin: Any = None) -> HttpResponse:
        """Shops, guides, goods and all else for a condition, by what was typed and what stands beside it."""
        if not self._may_write_rules(request):
            raise PermissionDenied
        # A field of chips asks by its own name, one that asks another field as well sends that after its own.
        words, beside = (*map(str, request.GET.values()), "", "")[:2]
        words = words[:_MOST_TYPED]
        found = find_keys(code, name, words, beside=beside)
        parameter = found_by_typing(code, name)
        text = parameter if isinstance(parameter, Texts) else None
        context = {
            "found": found,
            "typed_many": len(found) > 1 and len(words.split()) > 1,
            "takes_typed": text is not None and text.is_typed,
            "asks_first": _label_of(code, text.beside) if text is not None and not beside else "",
        }
        return TemplateResponse(request, "admin/xiaoer/coupons/_picker_found.html", context)

    def people_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """The members of a rule that the address brings along, page after page, of those whom the account sees."""
        if not request.user.has_perms(_MAY_LIST):
            raise PermissionDenied
        staff: Any = request.user
        text, after = request.GET.get("rule", ""), request.GET.get("after", "")
        name = request.GET.get("name", "").replace("\0", "")[:80]
        context: dict[str, Any] = {"name": name}
        try:
            tree = segments.read_rule_text(text)
            cards = segments.list_page(
                tree, after=int(after) if _IS_ID.fullmatch(after) else 0, most=_ON_PAGE + 1, staff=staff
            )
            context |= {
                "lines": [
                    (reverse("admin:members_member_change", args=[card.id]), *_shown(card)[1:])
                    for card in cards[:_ON_PAGE]
                ],
                "rule_lines": segments.rule_lines(tree),
                "counted": segments.count_members(tree, staff=staff),
                "is_part": segments.scope_of(staff) is not None,
                "keep_url": rule_url(request, segments.write_rule(tree), name),
                "after_url": _page_url(text, name, cards[_ON_PAGE - 1].id) if len(cards) > _ON_PAGE else "",
                "first_url": _page_url(text, name) if after else "",
            }
        except (RuleUnfit, SegmentTooSlow) as refusal:
            context["fault"] = refusal.message
        whole = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _now("符合条件的会员"),
            **context,
        }
        return TemplateResponse(request, f"{_PARTS}/people.html", whole)

    def _explained(self, request: HttpRequest, tree: Group, who: str) -> dict[str, Any]:
        words = " ".join(who.replace("\0", "").split())
        if not words:
            return {"fault": _now("请填会员码、手机号或姓名")}
        meant = member_selectors.search_member_ids(words)
        scope = segments.scope_of(request.user)  # type: ignore[arg-type]
        if scope is not None:
            meant = meant.filter(pk__in=scope)
        ids = list(meant.order_by("pk")[: _MOST_MEANT + 1])
        if not ids:
            return {"fault": _now("没有找到这位会员，或不归您查看")}
        if len(ids) > _MOST_MEANT:
            return {"fault": _now("很多会员都符合，请填完整的会员码或手机号")}
        if len(ids) > 1:
            return {"meant": [_shown(card) for card in member_selectors.list_member_cards(ids).values()]}
        verdict = segments.explain_member(tree, ids[0])
        if verdict is None:
            return {"fault": _now("没有找到这位会员，或不归您查看")}
        [card] = member_selectors.list_member_cards(ids).values()
        return {"card": card, "verdict": _told(verdict)}

    def _tree_of(self, request: HttpRequest) -> Group:
        """The rule of the form, or the one that a segment's page sends as JSON."""
        text = request.POST.get("rule")
        if text is not None:
            return segments.read_rule_text(text)
        return segments.read_rule(rule_of(draft_from_post(request.POST)))

    def _guard(self, request: HttpRequest) -> None:
        if request.method != "POST" or not self.has_view_permission(request):
            raise PermissionDenied

    def _guard_writing(self, request: HttpRequest) -> None:
        if request.method != "POST" or not self._may_write_rules(request):
            raise PermissionDenied

    def _may_write_rules(self, request: HttpRequest) -> bool:
        """Whoever sees segments, and whoever writes rules into journeys or goods into campaigns."""
        writes = any(
            request.user.has_perm(f"campaigns.{verb}_{what}")
            for what in ("journey", "campaign")
            for verb in ("add", "change")
        )
        return writes or self.has_view_permission(request)

    def _part(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(request, f"{_PARTS}/{name}.html", context)


def _label_of(code: str, name: str) -> str:
    """What a condition's parameter is called."""
    parameter = all_conditions()[code].parameters.get(name)
    return str(parameter.label) if parameter is not None else ""


def people_url(request: HttpRequest, rule: Mapping[str, Any], name: str) -> str:
    """Where the members of a rule are listed; empty where the account may not, or no address holds the rule."""
    text = segments.rule_text(rule)
    if len(text) > _LONGEST_ADDRESS or not request.user.has_perms(_MAY_LIST):
        return ""
    return reverse("admin:campaigns_segment_people") + _page_url(text, name)


def _page_url(rule: str, name: str, after: int | None = None) -> str:
    return "?" + urlencode({"rule": rule, "name": name} | ({} if after is None else {"after": str(after)}))


def _shown(card: MemberCard) -> tuple[str, str, str, str]:
    return card.public_id, card.display_name, card.masked_phone or "—", card.code


def _told(verdict: Verdict, *, above: Verdict | None = None) -> dict[str, Any]:
    """A verdict for the template. Marked is what makes it true and what makes it false; what is not met and need not be is
    quiet."""
    is_unwanted = above is not None and above.how == "none"
    is_wrong = verdict.is_true if is_unwanted else not verdict.is_true and not (above and above.is_true)
    return {
        "colour": "no" if is_wrong else "yes" if verdict.is_true else "idle",
        "is_true": verdict.is_true,
        "words": str(HOW_LABELS[verdict.how]) if verdict.how else verdict.words,
        "value": verdict.value,
        "parts": [_told(part, above=verdict) for part in verdict.parts],
    }
