"""What imports keep about a member: the questions whether a row of a file is she."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.actor import Actor
from members.contracts import MergeLine
from members.models import CandidateState, ImportCandidate, ImportRow
from members.services.holdings import MemberHoldings, Snapshot


class ImportHoldings(MemberHoldings):
    """Questions follow the member. Where both were asked about one row, the survivor's answer stays."""

    label = "imports"
    title = gettext_lazy("导入待确认")
    models = ("members.ImportCandidate",)

    def preview(self, *, survivor_id: int, emptier_id: int) -> Sequence[MergeLine]:
        """How many questions wait on either side."""
        waiting = ImportCandidate.objects.filter(state=CandidateState.WAITING)
        hers, theirs = waiting.filter(member_id=survivor_id), waiting.filter(member_id=emptier_id)
        if not theirs.exists():
            return []
        total = hers.count() + theirs.exclude(row_key__in=hers.values("row_key")).count()
        return [MergeLine(_("导入待确认"), str(hers.count()), str(theirs.count()), str(total))]

    def move(self, *, emptier_id: int, survivor_id: int, actor: Actor, at: dt.datetime) -> Snapshot:
        """The questions are about the survivor; those she was asked too stay behind, answered as put aside."""
        asked = ImportCandidate.objects.filter(member_id=survivor_id).values("row_key")
        theirs = ImportCandidate.objects.filter(member_id=emptier_id)
        doubled = theirs.filter(row_key__in=asked, state=CandidateState.WAITING).lock_rows()
        closed = [row.pk for row in doubled]
        ImportCandidate.objects.filter(pk__in=closed).update(state=CandidateState.SKIPPED, decided_at=at)
        moved = [row.pk for row in theirs.exclude(row_key__in=asked).lock_rows()]
        ImportCandidate.objects.filter(pk__in=moved).update(member_id=survivor_id)
        return {"moved": moved, "closed": closed}

    def restore(
        self, *, emptier_id: int, survivor_id: int, snapshot: Snapshot, actor: Actor, at: dt.datetime
    ) -> None:
        """The moved questions are hers again, and what was closed for being asked twice is open."""
        moved = ImportCandidate.objects.filter(pk__in=snapshot["moved"], member_id=survivor_id)
        moved.update(member_id=emptier_id)
        closed = ImportCandidate.objects.filter(pk__in=snapshot["closed"], state=CandidateState.SKIPPED)
        for row in closed.lock_rows():
            if ImportRow.objects.filter(job_id=row.job_id, line=row.line, is_waiting=True).exists():
                row.state, row.decided_at = CandidateState.WAITING, None
                row.save(update_fields=["state", "decided_at"])

    def export(self, member_id: int) -> Mapping[str, list[dict[str, Any]]]:
        """That she was compared with rows of files, when, and with what end."""
        rows = ImportCandidate.objects.filter(member_id=member_id).select_related("job").order_by("pk")
        told = [
            {
                _("导入时间"): row.job.created_at.isoformat(),
                _("原因"): str(row.get_why_display()),
                _("结论"): str(row.get_state_display()),
            }
            for row in rows
        ]
        return {_("导入待确认"): told} if told else {}

    def erase(self, *, member_id: int, actor: Actor, at: dt.datetime) -> int:
        """The rows that may be she are gone with their questions; the row of somebody else waits on."""
        questions = ImportCandidate.objects.filter(member_id=member_id).lock_rows()
        for question in questions:
            others = ImportCandidate.objects.filter(
                job_id=question.job_id, line=question.line, state=CandidateState.WAITING
            ).exclude(pk=question.pk)
            if not others.exists():
                ImportRow.objects.filter(job_id=question.job_id, line=question.line, is_waiting=True).delete()
        ImportCandidate.objects.filter(pk__in=[question.pk for question in questions]).delete()
        return len(questions)
