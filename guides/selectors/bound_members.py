"""Lists of a guide's members, newest binding first."""

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value

from core import clock
from core.compiled import Compiled, Given, Part
from core.labels import labels_of
from guides.contracts import BoundMemberLine, BoundMemberPage
from guides.models import Binding, GuideRemark
from guides.selectors.bindings import as_called, live_bindings_of
from guides.selectors.cursors import open_cursor, seal_cursor
from members import selectors as member_selectors

_CURSOR_SALT: Final = "guides.bound_members"
_PAGE_LIMIT: Final = 100
_COLUMNS: Final = (
    "pk",
    "bound_at",
    "source",
    "remark",
    *(f"member__{name}" for name in member_selectors.CARD_FIELDS),
)
_PK: Final = 0
_BOUND_AT: Final = 1
_CARD: Final = 4
_Rows = QuerySet[Binding, tuple[Any, ...]]
_Build = Callable[..., QuerySet[Any, Any]]


def list_newest_members(guide_id: int, limit: int = 5) -> tuple[BoundMemberLine, ...]:
    """The members bound to her last, newest first."""
    return _lines(_newest(min(limit, _PAGE_LIMIT), ("guide_id",))(guide_id=guide_id))


def list_bound_members(
    *,
    guide_id: int,
    query: str = "",
    among: Iterable[QuerySet[Any, int]] = (),
    part: Part | None = None,
    cursor: str | None = None,
    limit: int = 20,
) -> BoundMemberPage:
    """One page of her members, newest binding first, narrowed by what she typed, to those in all of `among` and to
    those in `part` (ids of members as well, for what is asked at every visit).

    Each of hers is looked at, and nobody else's, so a search takes as long as she has members. `cursor` is the
    `next_cursor` of the page before; pages neither skip nor repeat when members join meanwhile. Raises InvalidInput
    for a cursor we did not give for this guide.
    """
    limit = max(1, min(limit, _PAGE_LIMIT))
    wanted = member_selectors.understand(query)
    values: dict[str, Any] = {"guide_id": guide_id}
    if wanted is not None:
        values |= {
            "tokens": wanted.tokens,
            "code": wanted.code,
            "tail": wanted.tail,
            "numbers": wanted.numbers,
        }
    if cursor:
        values["before"], values["before_id"] = open_cursor(cursor, salt=_CURSOR_SALT, owner=guide_id)
    build, names = (None, ()) if part is None else (part.build, tuple(part.values))
    values |= {} if part is None else part.values
    among = tuple(among)
    if among:
        rows = list(_bindings(among, build, names, **_as_expressions(values))[: limit + 1])
    else:
        rows = _newest(limit + 1, tuple(values), build, names)(**values)
    next_cursor = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = rows[-1]
        next_cursor = seal_cursor(salt=_CURSOR_SALT, owner=guide_id, at=last[_BOUND_AT], row_id=last[_PK])
    return BoundMemberPage(_lines(rows), next_cursor)


@functools.lru_cache(maxsize=256)
def _newest(
    limit: int, names: tuple[str, ...], build: _Build | None = None, build_names: tuple[str, ...] = ()
) -> Compiled[Any]:
    """The read of so many of hers, given these."""

    def newest(**given: Given) -> _Rows:
        return _bindings((), build, build_names, **given)[:limit]

    return Compiled(newest, names)


def _bindings(
    among: Iterable[QuerySet[Any, int]],
    build: _Build | None,
    build_names: tuple[str, ...],
    *,
    guide_id: Any,
    **given: Any,
) -> _Rows:
    """What is listed: of hers those with what she typed, who are in all of `among` and in what `build` makes of the
    values so named, after the place of a cursor."""
    bindings = live_bindings_of(guide_id)
    if "tokens" in given:
        words = {name: given[name] for name in ("tokens", "code", "tail", "numbers")}
        remarked = GuideRemark.objects.filter(guide_id=guide_id, name_tokens__overlap=given["tokens"])
        bindings = bindings.filter(
            member_selectors.is_wanted("member", **words) | Q(member_id__in=remarked.values("member_id"))
        )
    for member_ids in among:
        bindings = bindings.filter(member_id__in=member_ids)
    if build is not None:
        bindings = bindings.filter(member_id__in=build(**{name: given[name] for name in build_names}))
    if "before" in given:
        before, before_id = given["before"], given["before_id"]
        bindings = bindings.filter(Q(bound_at__lt=before) | Q(bound_at=before, pk__lt=before_id))
    remark = GuideRemark.objects.filter(guide_id=guide_id, member_id=OuterRef("member_id"))
    named = bindings.annotate(remark=Subquery(remark.values("name")))
    return named.order_by("-bound_at", "-pk").values_list(*_COLUMNS)


def _as_expressions(values: dict[str, Any]) -> dict[str, Any]:
    """For a read that is built for once: what was not typed matches nobody, where None would mean who has none."""
    return values | {name: Value(values[name], CharField()) for name in ("code", "tail") if name in values}


def _lines(rows: Sequence[tuple[Any, ...]]) -> tuple[BoundMemberLine, ...]:
    start, _end = clock.day_bounds(clock.today())
    labels = labels_of(Binding, "source")
    cards = member_selectors.cards_from(row[_CARD:] for row in rows)
    return tuple(
        BoundMemberLine(
            member=as_called(card, remark or ""),
            bound_at=bound_at,
            source_label=labels.get(source) or source,
            is_new=bound_at >= start,
        )
        for (_row_id, bound_at, source, remark, *_card), card in zip(rows, cards, strict=True)
    )
