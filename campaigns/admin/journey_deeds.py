"""What is done with a journey: installed, given another gift, copied, switched on and off, compared with what it was."""

import abc
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from campaigns.admin.journey_editor import LIST, ROW
from campaigns.contracts.journeys import Definition
from campaigns.contracts.ready_made import READY_MADE
from campaigns.contracts.ready_made_gifts import GIFT_KINDS, GIFTS, NEEDS_COUPONS, gift_in, points_of
from campaigns.errors import JourneyUnfit
from campaigns.models import Journey, JourneyState, JourneyVersion
from campaigns.selectors import journeys as selectors
from campaigns.services import journeys
from core.admin import BaseAdmin, Question, ask, operation, staff_actor, thousands
from core.errors import Refusal
from core.remembered import remembering
from coupons import selectors as coupon_selectors

if TYPE_CHECKING:
    _Base = BaseAdmin
else:
    _Base = object

_DRAFT = "draft"


class JourneyDeeds(_Base):
    """Mix into the admin of journeys, which opens a row (`open_row`) for who may change it."""

    @abc.abstractmethod
    def open_row(self, request: HttpRequest, pk: int) -> Journey:
        """The admin's own. Raises PermissionDenied."""

    @abc.abstractmethod
    def page(self, request: HttpRequest, name: str, context: Mapping[str, Any]) -> HttpResponse:
        """One of the journeys' templates."""

    def deed_urls(self) -> tuple[tuple[str, str, Any], ...]:
        return (
            ("<int:pk>/switch/<str:deed>/", "campaigns_journey_switch", self.switch_view),
            ("<int:pk>/gift/", "campaigns_journey_gift", self.gift_view),
            ("<int:pk>/copy/", "campaigns_journey_copy", self.copy_view),
            ("<int:pk>/restore/<int:number>/", "campaigns_journey_restore", self.restore_view),
            ("<int:pk>/compare/", "campaigns_journey_compare", self.compare_view),
        )

    @operation(_("装入现成旅程"), icon="library_add", needs=("add",), path="install")
    def install(self, request: HttpRequest) -> HttpResponse:
        """Which of the ready-made ones, and what each gives."""
        if request.method == "POST":
            chosen = [one.code for one in READY_MADE if one.code in request.POST.getlist("codes")]
            coupons = {code: request.POST.get(f"gift.{code}", "") for code in chosen if code in GIFTS}
            try:
                made = journeys.install_ready_made(actor=staff_actor(request), codes=chosen, coupons=coupons)
            except Refusal as refusal:
                messages.error(request, refusal.message)
            else:
                if made:
                    words = _now("装入了 %(n)s 个旅程，都还没有启用；看过、改好再逐个启用")
                    messages.success(request, words % {"n": thousands(len(made))})
                    return HttpResponseRedirect(reverse(LIST))
                messages.warning(request, _now("请至少选一个还没有装入的旅程"))
        rows = list(_offered(request.POST))
        context = {
            "title": _now("装入现成的旅程"),
            "rows": rows,
            "has_more": any(row["pk"] is None for row in rows),
            "back_url": reverse(LIST),
            **self.coupon_help(request),
        }
        return self.page(request, "install", context)

    def coupon_help(self, request: HttpRequest) -> dict[str, Any]:
        """Whether there is a coupon to give, and where one is made."""
        user: Any = request.user
        batches = coupon_selectors.list_system_batches()
        return {
            "batches": batches,
            "batch_list_url": reverse("admin:coupons_couponbatch_changelist")
            if user.has_perm("coupons.view_couponbatch")
            else "",
            "batch_add_url": reverse("admin:coupons_couponbatch_add")
            if user.has_perm("coupons.add_couponbatch")
            else "",
        }

    def gift_of(self, row: Journey) -> dict[str, Any] | None:
        """What a ready-made journey gives, while nobody is on her way in it."""
        batch = gift_in(row.made_as, row.draft) if row.state == JourneyState.DRAFT else None
        if batch is None:
            return None
        names = coupon_selectors.list_batch_names([batch]) if batch else {}
        return {"batch": batch, "name": names.get(batch, batch), "points": points_of(row.made_as)}

    def gift_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """Points or a coupon, by POST."""
        row = self.open_row(request, pk)
        if request.method != "POST":
            raise PermissionDenied
        definition, _faults = selectors.find_definition(row.draft)
        try:
            left = journeys.choose_gift(
                journey_id=pk,
                revision=_whole(request.POST.get("revision", "")),
                batch=request.POST.get("gift", ""),
                actor=staff_actor(request),
            )
        except Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, _now("礼已经换好，文案也跟着换了") if not left else _now("礼已经换好"))
            if left:
                told = [
                    selectors.step_words(definition, name) if definition is not None else name
                    for name in left
                ]
                words = _now("这几步的文案是您自己写的，没有动，请看看还对不对：%(steps)s")
                messages.warning(request, words % {"steps": "；".join(told)})
        return HttpResponseRedirect(reverse(ROW, args=[pk]))

    def copy_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The same once more as a draft, by POST."""
        row = self.subject(request, str(pk))
        may_add = request.user.has_perm("campaigns.add_journey")
        if row is None or request.method != "POST" or not may_add:
            raise PermissionDenied
        made = journeys.copy_journey(journey_id=pk, actor=staff_actor(request))
        messages.success(request, _now("已复制，这是新的草稿，还没有启用"))
        return HttpResponseRedirect(reverse("admin:campaigns_journey_edit", args=[made.pk]))

    def restore_view(
        self, request: HttpRequest, pk: int, number: int, model_admin: Any = None
    ) -> HttpResponse:
        """The draft becomes what a version says, by POST."""
        row = self.open_row(request, pk)
        if request.method != "POST":
            raise PermissionDenied
        try:
            journeys.restore_version(
                journey_id=row.pk,
                number=number,
                revision=_whole(request.POST.get("revision", "")),
                actor=staff_actor(request),
            )
            messages.success(request, _now("草稿已换成第 %(n)s 版的内容") % {"n": number})
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse(ROW, args=[pk]))

    def compare_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """Two versions, or one and the draft, in words."""
        row = self.subject(request, str(pk))
        if row is None:
            raise PermissionDenied
        with remembering():
            return self.page(request, "compare", _compared(request, row))

    def switch_view(self, request: HttpRequest, pk: int, deed: str, model_admin: Any = None) -> HttpResponse:
        """Start, pause, end, publish or retry, by POST; ending and starting are asked about first."""
        row = self.open_row(request, pk)
        actor = staff_actor(request)
        verbs = {
            "start": (journeys.start_journey, _now("旅程已启用")),
            "pause": (journeys.pause_journey, _now("旅程已暂停，没有人再往前走")),
            "publish": (journeys.publish_journey, _now("新版本已发布；正在途中的会员走完原来的版本")),
            "end": (journeys.end_journey, _now("旅程已结束，在途的会员会陆续退出")),
            "retry": (
                journeys.retry_parked,
                _now("停住的会员正在重试；人很多时分几批，还有停住的请再点一次"),
            ),
        }
        if deed not in verbs:
            raise PermissionDenied
        service, told = verbs[deed]
        if deed == "end":
            question = Question(
                title=_now("结束旅程“%(name)s”") % {"name": row.name},
                submit=_("结束"),
                back_url=reverse(ROW, args=[pk]),
                lines=[
                    _now("在途的 %(n)s 位会员会退出，后面的步骤不再为她们做。")
                    % {"n": thousands(selectors.journey_numbers([pk])[pk].live_count)},
                    _now("结束后不能再启用；只想停一停请用“暂停”。"),
                ],
                is_dangerous=True,
            )

            def run(_cleaned: dict[str, Any]) -> str:
                journeys.end_journey(journey_id=pk, actor=actor)
                return told

            return ask(self, request, question, run, subject=row)
        if request.method != "POST":
            raise PermissionDenied
        try:
            service(journey_id=pk, actor=actor)
            messages.success(request, told)
        except JourneyUnfit:
            messages.error(request, _now("旅程还有没写好的地方，请先修改"))
            return HttpResponseRedirect(reverse("admin:campaigns_journey_edit", args=[pk]))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        return HttpResponseRedirect(reverse(ROW, args=[pk]))


def draft_changes(row: Journey) -> Any:
    """What the draft says otherwise than what runs; None when it has faults."""
    definition, _faults = selectors.find_definition(row.draft)
    if definition is None or row.version is None:
        return None
    return selectors.changes_between(selectors.definition_of(row.version.definition), definition)


def _compared(request: HttpRequest, row: Journey) -> dict[str, Any]:
    versions = list(JourneyVersion.objects.filter(journey=row).order_by("-number"))
    sides = _sides(row, versions)
    first = request.GET.get("from", "")
    second = request.GET.get("to", "")
    keys = list(sides)
    second = second if second in sides else keys[0]
    first = first if first in sides else keys[min(1, len(keys) - 1)]
    before, after = sides[first][1], sides[second][1]
    return {
        "title": _now("对比版本：%(name)s") % {"name": row.name},
        "row": row,
        "original": row,
        "options": [(key, words) for key, (words, _definition) in sides.items()],
        "first": first,
        "second": second,
        "changes": selectors.changes_between(before, after)
        if before is not None and after is not None
        else None,
        "back_url": reverse(ROW, args=[row.pk]),
    }


def _sides(row: Journey, versions: list[JourneyVersion]) -> dict[str, tuple[str, Definition | None]]:
    """What may be compared, the newest first: the draft, then the versions."""
    draft, _faults = selectors.find_definition(row.draft)
    sides = {_DRAFT: (_now("草稿") if draft is not None else _now("草稿（还有没写好的地方）"), draft)}
    for version in versions:
        words = _now("第 %(n)s 版") % {"n": version.number}
        if version.pk == row.version_id:
            words = _now("第 %(n)s 版（现在用的）") % {"n": version.number}
        sides[str(version.number)] = (words, selectors.definition_of(version.definition))
    return sides


def _offered(typed: Any) -> Iterator[dict[str, Any]]:
    live = Journey.objects.exclude(state=JourneyState.ENDED).exclude(made_as="").select_related("version")
    there = {row.made_as: row for row in live}
    for one in READY_MADE:
        definition = selectors.read_definition(one.definition)
        row = there.get(one.code)
        yield {
            "code": one.code,
            "name": one.name,
            "note": one.note,
            "pk": row.pk if row is not None else None,
            "state": str(row.get_state_display()) if row is not None else "",
            "steps": [selectors.step_words(definition, name) for name in definition.steps],
            "is_chosen": one.code in typed.getlist("codes") if typed else one.code not in there,
            "given": _given(row) if row is not None else [],
            "points": points_of(one.code) if one.code in GIFTS else 0,
            "gift": typed.get(f"gift.{one.code}", ""),
            "needs_coupons": one.code in NEEDS_COUPONS,
        }


def _given(row: Journey) -> list[str]:
    """What a journey gives as it runs, or else as it is written: step by step, in words."""
    if row.version is not None:
        definition: Definition | None = selectors.definition_of(row.version.definition)
    else:
        definition, _faults = selectors.find_definition(row.draft)
    if definition is None:
        return []
    giving = [name for name, step in definition.steps.items() if step.kind in GIFT_KINDS]
    return [selectors.step_words(definition, name) for name in giving]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
