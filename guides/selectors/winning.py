"""Who won a member: bindings that count for their guide, and the guide behind the code that somebody came by."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from django.db.models import F, QuerySet

from core.labels import label_of
from guides.contracts import CodeOwner, WonBinding
from guides.models import Binding, BindingSource, ChannelCode, Guide
from members import selectors as member_selectors

# What she did herself. Where the chain moved her from one guide to another, nobody won her.
_WON: Final = (
    BindingSource.SCAN,
    BindingSource.STORE_SCAN,
    BindingSource.MINI_PROGRAM,
    BindingSource.SHARE,
    BindingSource.POS,
    BindingSource.MEMBER,
)
# A binding that is over sooner was none, so that two who take a member from each other in turn win nothing.
_HELD: Final = dt.timedelta(days=7)


def won_binding_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of bindings by members themselves that began in the half-open span; unevaluated."""
    rows = Binding.objects.filter(source__in=_WON, bound_at__gte=since, bound_at__lt=until)
    return rows.values_list("pk", flat=True)


def soon_ended_binding_ids(*, since: dt.datetime, until: dt.datetime) -> QuerySet[Any, int]:
    """Ids of such bindings that ended in the half-open span, too soon to count; unevaluated."""
    rows = Binding.objects.filter(source__in=_WON, ended_at__gte=since, ended_at__lt=until)
    return rows.filter(ended_at__lt=F("bound_at") + _HELD).values_list("pk", flat=True)


def binding_ids_of(member_ids: Collection[int]) -> QuerySet[Any, int]:
    """Ids of all such bindings of these rows; unevaluated."""
    return Binding.objects.filter(member_id__in=list(member_ids), source__in=_WON).values_list(
        "pk", flat=True
    )


def list_won_bindings(binding_ids: Iterable[int]) -> tuple[WonBinding, ...]:
    """Those of these bindings that members made themselves, and whether each counts for its guide.

    One that ended within seven days does not, unless the chain ended it: by a handover, an assignment or a merge. Of
    two rows of one person with the same guide the earlier binding counts.
    """
    asked = list(Binding.objects.filter(pk__in=list(binding_ids), source__in=_WON).order_by("pk"))
    persons = member_selectors.list_person_rows({row.member_id for row in asked})
    persons |= {one: person for person in persons.values() for one in person}
    several = [member_id for member_id, person in persons.items() if len(person) > 1]
    rows = {row.pk: row for row in asked}
    rows |= {row.pk: row for row in Binding.objects.filter(member_id__in=several, source__in=_WON)}
    undone = _undone(rows.values())
    holders: dict[tuple[frozenset[int], int], list[Binding]] = defaultdict(list)
    for row in sorted(rows.values(), key=lambda one: (one.bound_at, one.pk)):
        if row.pk not in undone:
            holders[(persons.get(row.member_id, frozenset()), row.guide_id)].append(row)

    def counts(row: Binding) -> bool:
        hers = holders[(persons.get(row.member_id, frozenset()), row.guide_id)]
        return row.pk not in undone and all(
            other.member_id == row.member_id for other in hers[: hers.index(row)]
        )

    return tuple(
        WonBinding(
            row.pk, row.member_id, row.guide_id, row.store_id, row.bound_at, label_of(row, "source"), counts(row)
        )
        for row in asked
    )  # fmt: skip


def list_code_owners(codes: Iterable[str]) -> dict[str, CodeOwner]:
    """Whose these channel codes are, open or closed; unknown ones are missing."""
    rows = ChannelCode.objects.filter(code__in={code for code in codes if code})
    return {
        code: CodeOwner(guide_id, store_id)
        for code, guide_id, store_id in rows.values_list("code", "guide_id", "store_id")
    }


def list_first_won(member_ids: Iterable[int]) -> dict[int, WonBinding]:
    """The first guide each of these rows took herself."""
    rows = Binding.objects.filter(member_id__in=list(member_ids), source__in=_WON)
    return {
        row.member_id: WonBinding(
            row.pk, row.member_id, row.guide_id, row.store_id, row.bound_at, label_of(row, "source"), True
        )
        for row in rows.order_by("member_id", "bound_at", "pk").distinct("member_id")
    }


def list_last_days(guide_ids: Iterable[int]) -> Mapping[int, dt.date]:
    """The last day of those of these guides who have left."""
    rows = Guide.objects.filter(pk__in=list(guide_ids)).values_list("pk", "left_on")
    return {guide_id: left_on for guide_id, left_on in rows if left_on is not None}


def _undone(rows: Iterable[Binding]) -> set[int]:
    """Those that ended too soon, by her own doing."""
    soon = [row for row in rows if row.ended_at is not None and row.ended_at < row.bound_at + _HELD]
    if not soon:
        return set()
    merges = member_selectors.list_merge_moments({row.member_id for row in soon})
    followed = Binding.objects.filter(
        member_id__in={row.member_id for row in soon}, bound_at__in={row.ended_at for row in soon}
    ).exclude(source__in=_WON)
    moved = set(followed.values_list("member_id", "bound_at"))
    return {
        row.pk
        for row in soon
        if row.ended_at not in merges.get(row.member_id, ()) and (row.member_id, row.ended_at) not in moved
    }
