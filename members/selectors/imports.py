"""Reads about imports: how far each is, and the rows that wait for a person."""

import datetime as dt
from typing import Any, Final

from django.utils.translation import gettext as _

from core import clock, crypto, phones
from core.imports.progress import card_values, find_earlier
from core.labels import label_of
from members.contracts import CandidateCard, ImportCard, ImportCounts, MemberCard
from members.errors import NoSuchCandidate, NoSuchImport
from members.models import (
    CandidateState,
    Gender,
    Identity,
    ImportCandidate,
    ImportJob,
    ImportRow,
    Member,
    MemberAddress,
    MemberIdentity,
)
from members.selectors.people import card_of

_NAME_CONTEXT: Final = f"{Member._meta.db_table}.name"
_PHONE_CONTEXT: Final = f"{Member._meta.db_table}.phone"


def get_import_card(job_id: int) -> ImportCard:
    """One import as it stands. Raises NoSuchImport."""
    job = ImportJob.objects.filter(pk=job_id).first()
    if job is None:
        raise NoSuchImport
    return import_card_of(job, waiting_count=count_waiting(job_id))


def import_card_of(job: ImportJob, *, waiting_count: int = 0) -> ImportCard:
    """An import for a page."""
    return ImportCard(**card_values(job, counts=ImportCounts), waiting_count=waiting_count)


def find_earlier_import(job_id: int) -> ImportCard | None:
    """The newest other import of the very same file that wrote something, or None."""
    job = ImportJob.objects.filter(pk=job_id).first()
    earlier = None if job is None else find_earlier(ImportJob.objects.all(), job=job)
    return None if earlier is None else import_card_of(earlier)


def count_waiting(job_id: int | None = None) -> int:
    """Rows that wait for a person, of one import or of all."""
    rows = ImportRow.objects.filter(is_waiting=True)
    return (rows if job_id is None else rows.filter(job_id=job_id)).count()


def find_next_candidate(*, job_id: int | None = None, after: int = 0) -> CandidateCard | None:
    """The next question behind that one, in the order of asking; None when nothing waits any more."""
    waiting = ImportCandidate.objects.filter(state=CandidateState.WAITING, pk__gt=after)
    if job_id is not None:
        waiting = waiting.filter(job_id=job_id)
    for candidate in waiting.select_related("member").order_by("pk")[:20]:
        row = ImportRow.objects.filter(job_id=candidate.job_id, line=candidate.line, is_waiting=True).first()
        if row is not None:
            return _candidate_card(candidate, row)
    return None


def get_candidate_card(candidate_id: int) -> CandidateCard:
    """One open question with both sides. Raises NoSuchCandidate, also when it was answered."""
    candidate = ImportCandidate.objects.filter(pk=candidate_id, state=CandidateState.WAITING)
    found = candidate.select_related("member").first()
    row = (
        ImportRow.objects.filter(job_id=found.job_id, line=found.line, is_waiting=True).first()
        if found is not None
        else None
    )
    if found is None or row is None:
        raise NoSuchCandidate
    return _candidate_card(found, row)


def _candidate_card(candidate: ImportCandidate, row: ImportRow) -> CandidateCard:
    member = candidate.member
    while member.merged_into is not None:
        member = member.merged_into
    card = card_of(member)
    home = MemberAddress.objects.filter(member=member).first()
    others = ImportCandidate.objects.filter(
        job_id=candidate.job_id, line=candidate.line, state=CandidateState.WAITING
    ).exclude(pk=candidate.pk)
    return CandidateCard(
        id=candidate.pk,
        job_id=candidate.job_id,
        line=candidate.line,
        why=candidate.why,
        why_label=label_of(candidate, "why"),
        member=card,
        titles=(_("姓名"), _("手机号"), _("性别"), _("生日"), _("会员卡号"), _("地址"), _("成为会员时间")),
        row=_row_values(row),
        hers=_her_values(member, card, home),
        others=tuple(others.order_by("pk").values_list("member_id", flat=True)),
    )


def _row_values(row: ImportRow) -> tuple[str, ...]:
    phone = crypto.unseal(row.phone, context=_PHONE_CONTEXT) if row.phone else ""
    return (
        crypto.unseal(row.name, context=_NAME_CONTEXT) if row.name else "",
        phones.mask(phone) if phone else "",
        str(Gender(row.gender).label) if row.gender else "",
        row.birthday.isoformat() if row.birthday else "",
        row.card,
        _place(row),
        _day(row.registered_at),
    )


def _her_values(member: Member, card: MemberCard, home: MemberAddress | None) -> tuple[str, ...]:
    cards = MemberIdentity.objects.filter(member=member, kind=Identity.POS_CARD).order_by("pk")
    return (
        member.name,
        card.masked_phone,
        label_of(member, "gender") if member.gender else "",
        member.birthday.isoformat() if member.birthday else "",
        "、".join(cards.values_list("value", flat=True)[:3]),
        _place(home) if home is not None else "",
        _day(member.registered_at),
    )


def _place(row: Any) -> str:
    """Province, city and district; a municipality is not said twice. Streets are not for comparing eyes."""
    return "".join(dict.fromkeys((row.province, row.city, row.district)))


def _day(at: dt.datetime | None) -> str:
    return clock.business_day(at).isoformat() if at is not None else ""
