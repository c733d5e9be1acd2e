"""The queue of rows that may be somebody we know: both sides, three keys, the next one."""

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _now

from core.admin import staff_actor
from core.admin.import_desk import ImportDesk
from core.errors import Refusal
from members import selectors, services
from members.contracts import CandidateCard

_DECISIONS: Final = ("same", "different", "skipped")

if TYPE_CHECKING:
    _Base = ImportDesk
else:
    _Base = object


class CandidatePages(_Base):
    """The pages of the queue, for the admin of imports."""

    def candidate_urls(self) -> tuple[tuple[str, str, Any], ...]:
        """Their addresses."""
        return (
            ("<int:pk>/candidates/", "members_import_candidates", self.candidates_view),
            ("<int:pk>/candidates/<int:candidate_id>/", "members_import_decide", self.decide_view),
        )

    def candidates_view(self, request: HttpRequest, pk: int, model_admin: Any = None) -> HttpResponse:
        """The next question of one import; when none is left, back to the import."""
        job = self.job(request, pk)
        after = request.GET.get("after", "")
        card = selectors.find_next_candidate(job_id=pk, after=int(after) if after.isdecimal() else 0)
        if card is None and after:
            card = selectors.find_next_candidate(job_id=pk)
        if card is None:
            messages.success(request, _now("都确认完了"))
            return HttpResponseRedirect(reverse("admin:members_importjob_change", args=[pk]))
        context = {
            "title": _now("是不是同一人"),
            "subject": job,
            "card": card,
            "lines": list(zip(card.titles, card.row, card.hers, strict=True)),
            "waiting_count": selectors.count_waiting(pk),
            "merge_url": _merge_url(card),
        }
        return self.page(request, "admin/xiaoer/import_candidate.html", context)

    def decide_view(
        self, request: HttpRequest, pk: int, candidate_id: int, model_admin: Any = None
    ) -> HttpResponse:
        """The answer of the page, by POST; the next question follows."""
        self.job(request, pk)
        decision: Any = request.POST.get("decision")
        if request.method != "POST" or decision not in _DECISIONS:
            raise PermissionDenied
        try:
            card = selectors.get_candidate_card(candidate_id)
            if card.job_id != pk:
                raise PermissionDenied
            services.decide_candidate(
                candidate_id=candidate_id, decision=decision, actor=staff_actor(request)
            )
        except Refusal as refusal:
            messages.warning(request, refusal.message)
        url = reverse("admin:members_import_candidates", args=[pk])
        return HttpResponseRedirect(f"{url}?after={candidate_id}")


def _merge_url(card: CandidateCard) -> str:
    """The merge desk for the two members whom one row names, where this installation has that desk."""
    if card.why != "two_owners" or not card.others:
        return ""
    try:
        desk = reverse("admin:members_merge_desk")
    except NoReverseMatch:
        return ""
    return f"{desk}?first={card.member.id}&second={card.others[0]}"
