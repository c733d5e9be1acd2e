"""The desk at which two members are looked at side by side and made one."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core.admin import Tile, narrow, register_tiles, staff_actor, thousands, when
from core.errors import Refusal
from members import selectors
from members.contracts import DuplicatePair, MemberCard, MergePreview
from members.models import Member
from members.services import keep_apart, merge_members, preview_merge

SIDES: Final = ("first", "second")
_FOUND: Final = 8


class MergeDesk:
    """The desk's page, beside the list of merges."""

    def has_merge_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A right of its own."""
        return request.user.has_perm("members.merge_member")

    def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (("desk/", "members_merge_desk", self.desk_view),)

    def desk_view(self, request: HttpRequest, model_admin: Any = None) -> HttpResponse:
        """Two sides to find, then the preview with its choices; a POST merges, or says they are two people."""
        if not self.has_merge_permission(request):
            raise PermissionDenied
        mine = narrow(Member, request.user, Member.objects.living())
        asked = request.POST if request.method == "POST" else request.GET
        chosen = {side: _find(mine, asked.get(side, "")) for side in SIDES}
        first, second = chosen["first"], chosen["second"]
        is_empty = not any(asked.get(name) for side in SIDES for name in (side, f"{side}_q"))
        has_looked = is_empty and "proposals" in request.GET
        refusal = ""
        preview: MergePreview | None = None
        if first is not None and second is not None:
            try:
                if request.method == "POST":
                    return _decide(request, first, second)
                preview = preview_merge(
                    first_id=first.pk, second_id=second.pk, survivor_id=_number(asked.get("survivor", ""))
                )
            except Refusal as refused:
                refusal = refused.message
                preview = _preview_again(first, second, asked)
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "opts": self.opts,  # type: ignore[attr-defined]
            "title": _("合并会员"),
            "sides": [_side(side, chosen, asked, mine) for side in SIDES],
            "preview": preview,
            "refusal": refusal,
            "reason": asked.get("reason", ""),
            "swap_url": _swap_url(first, second, preview),
            "is_empty": is_empty,
            # Reads every member, which takes seconds in a large chain: only when somebody asks for it.
            "has_looked": has_looked,
            "pairs": _linked(selectors.list_possible_duplicates(mine)) if has_looked else [],
            "passed": _linked(selectors.list_passed_phones(mine)) if is_empty else [],
            "look_url": f"{desk_url()}?proposals=1",
        }
        return TemplateResponse(request, "admin/xiaoer/merge_desk.html", context)


def desk_url(**values: int | None) -> str:
    """The desk with these members on it."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{reverse('admin:members_merge_desk')}?{query}" if query else reverse("admin:members_merge_desk")


def _find(mine: QuerySet[Any], asked: str) -> Member | None:
    """The member of an address: her row id, public id or code, if this account sees her."""
    asked = asked.replace("\0", "").strip()[:20]
    if not asked:
        return None
    number = _number(asked)
    if number is not None:
        found: Member | None = mine.filter(pk=number).first()
        return found
    by_name: Member | None = mine.filter(public_id=asked).first() or mine.filter(code=asked.upper()).first()
    return by_name


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def _side(
    side: str, chosen: Mapping[str, Member | None], asked: Mapping[str, str], mine: QuerySet[Any]
) -> dict[str, Any]:
    """One half of the desk: who is on it, or what the search for her found."""
    other = SIDES[1 - SIDES.index(side)]
    member, beside = chosen[side], chosen[other]
    query = asked.get(f"{side}_q", "").strip()[:40]
    found: list[tuple[MemberCard, str]] = []
    if member is None and query:
        rows = mine.filter(pk__in=selectors.search_member_ids(query)).order_by("-registered_at", "-pk")
        if beside is not None:
            rows = rows.exclude(pk=beside.pk)
        for row in rows[:_FOUND]:
            url = desk_url(**{side: row.pk, other: None if beside is None else beside.pk})
            found.append((selectors.card_of(row), url))
    return {
        "name": side,
        "title": _("第一位") if side == "first" else _("第二位"),
        "card": None if member is None else selectors.card_of(member),
        "since": "" if member is None else _("%(time)s 建档") % {"time": when(member.registered_at)},
        "query": query,
        "found": found,
        "is_missing": member is None and bool(asked.get(side)),
        "other": other,
        "other_id": None if beside is None else beside.pk,
        "clear_url": desk_url(**{other: None if beside is None else beside.pk}),
    }


def _decide(request: HttpRequest, first: Member, second: Member) -> HttpResponse:
    """What the two buttons do. The refusals of the services are shown by the caller."""
    actor = staff_actor(request)
    if "apart" in request.POST:
        keep_apart(first_id=first.pk, second_id=second.pk, actor=actor)
        messages.success(request, _("已记下：不是同一个人，以后不再提示"))
        return HttpResponseRedirect(desk_url())
    survivor = merge_members(
        first_id=first.pk,
        second_id=second.pk,
        survivor_id=_number(request.POST.get("survivor", "")),
        choices=_choices(request.POST),
        how="desk",
        reason=request.POST.get("reason", ""),
        actor=actor,
    )
    messages.success(request, _("已合并，保留 %(name)s；30 天内可以撤销") % {"name": survivor.display_name})
    return HttpResponseRedirect(reverse("admin:members_member_change", args=[survivor.id]))


def _choices(posted: Mapping[str, str]) -> dict[str, int]:
    """The fields for which the desk was asked, by the row whose value was chosen."""
    wanted = {
        name.removeprefix("value_"): _number(posted[name]) for name in posted if name.startswith("value_")
    }
    return {field: member_id for field, member_id in wanted.items() if member_id is not None}


def _preview_again(first: Member, second: Member, asked: Mapping[str, str]) -> MergePreview | None:
    """The page as the rules would have it, after a refusal; nothing when even that is refused."""
    if first.pk == second.pk:
        return None
    try:
        return preview_merge(first_id=first.pk, second_id=second.pk)
    except Refusal:
        return None


def _swap_url(first: Member | None, second: Member | None, preview: MergePreview | None) -> str:
    """The same desk with the other one living on."""
    if first is None or second is None or preview is None:
        return ""
    return desk_url(first=first.pk, second=second.pk, survivor=preview.emptier.id)


def _linked(pairs: Iterable[DuplicatePair]) -> list[dict[str, Any]]:
    return [{"pair": pair, "url": desk_url(first=pair.first.id, second=pair.second.id)} for pair in pairs]


def _passed_tiles(request: HttpRequest) -> list[Tile]:
    """Numbers that went to another member: somebody looks whether the two are one person."""
    count = len(selectors.list_passed_phones(narrow(Member, request.user, Member.objects.living())))
    return [Tile(_("手机号换了主人，待核对"), thousands(count), desk_url())] if count else []


register_tiles("members.merge_member", _passed_tiles, order=8)
