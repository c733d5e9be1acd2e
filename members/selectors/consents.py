"""What members agreed to, what there is to agree to, and who may be written to."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from django.db.models import QuerySet

from core import clock
from core.compiled import Given, compiled, ids_of
from core.labels import label_of
from members.contracts import ConsentCard, ConsentLine, ConsentTextCard
from members.errors import NoSuchConsentKind
from members.models import ConsentAction, ConsentEntry, ConsentKind, ConsentText, Member
from members.selectors.people import list_merge_targets

# The kind that reaching out asks for (营销信息).
MARKETING: Final = "marketing"


def list_current_consent_texts(*, at: dt.datetime | None = None) -> tuple[ConsentTextCard, ...]:
    """The version of every kind that is to be agreed to now, in the order in which kinds are shown."""
    return tuple(consent_text_card_of(row) for row in _current(at=at or clock.now()))


@compiled
def _current(*, at: Given) -> QuerySet[ConsentText]:
    published = ConsentText.objects.published(at)  # type: ignore[arg-type]
    newest = published.order_by("kind_id", "-version").distinct("kind_id").values("pk")
    return ConsentText.objects.filter(pk__in=newest).select_related("kind").order_by("kind__order", "kind_id")


def consent_text_card_of(row: ConsentText) -> ConsentTextCard:
    """The card of a published text fetched with its kind."""
    assert row.published_at is not None
    return ConsentTextCard(
        kind=row.kind.code,
        kind_title=row.kind.title,
        version=row.version,
        title=row.title,
        body=row.body,
        published_at=row.published_at,
        is_required=row.kind.is_required,
    )


def list_consents(member_id: int, *, at: dt.datetime | None = None) -> tuple[ConsentCard, ...]:
    """What she says to every kind now; the id of a merged row stands for the living one."""
    member_id = list_merge_targets([member_id]).get(member_id, member_id)
    current = {card.kind: card.version for card in list_current_consent_texts(at=at)}
    last = {entry.kind_id: entry for entry in _last_words(member_id=member_id)}
    return tuple(_card(kind, last.get(kind.pk), current.get(kind.code)) for kind in _kinds())


@compiled
def _kinds() -> QuerySet[ConsentKind]:
    return ConsentKind.objects.order_by("order", "pk")


def list_pending_consents(member_id: int, *, at: dt.datetime | None = None) -> tuple[ConsentTextCard, ...]:
    """The texts she has to be shown: of every kind she never answered or agreed to in an older version.

    What she withdrew is not asked for again by itself; a required kind is, because without it she is no member.
    """
    pending = {card.kind for card in list_consents(member_id, at=at) if card.is_to_be_shown}
    return tuple(card for card in list_current_consent_texts(at=at) if card.kind in pending)


def list_consent_entries(member_id: int, *, limit: int = 50) -> tuple[ConsentLine, ...]:
    """Her entries, newest first."""
    rows = ConsentEntry.objects.filter(member_id=member_id).select_related("kind", "text")
    return tuple(
        ConsentLine(
            kind=row.kind.code,
            title=row.kind.title,
            version=row.text.version,
            action_label=label_of(row, "action"),
            door_label=label_of(row, "door"),
            at=row.at,
            actor=row.actor,
        )
        for row in rows.order_by("-at", "-pk")[:limit]
    )


def may_reach(member_id: int, kind: str = MARKETING) -> bool:
    """Whether she agrees to be written to for this purpose: she said yes, and it is her last word.

    Who was never asked may not be reached. Raises NoSuchConsentKind, so that a mistyped kind reaches nobody.
    """
    kind_id = _kind_id(kind)
    member_id = list_merge_targets([member_id]).get(member_id, member_id)
    last = ConsentEntry.objects.filter(member_id=member_id, kind_id=kind_id).order_by("-at", "-pk").first()
    return last is not None and last.action == ConsentAction.AGREED


def has_withdrawn(member_id: int, kind: str = MARKETING) -> bool:
    """She agreed once and took it back: who tells her of what is hers leaves her alone as well. Who was never asked
    has not. False for a kind that the chain does not have."""
    member_id = list_merge_targets([member_id]).get(member_id, member_id)
    entries = ConsentEntry.objects.filter(member_id=member_id, kind__code=kind)
    last = entries.order_by("-at", "-pk").first()
    return last is not None and last.action == ConsentAction.WITHDRAWN


def list_last_words(member_ids: Iterable[int], kind: str = MARKETING) -> dict[int, bool]:
    """What each of these living members said last to this kind: that she agrees, or that she takes it back. Who never
    said anything is missing, and everybody for a kind that the chain does not have."""
    last = _last_of_kind(member_ids=list(member_ids), kind=kind)
    return {member_id: action == ConsentAction.AGREED for member_id, action in last}


def withdrawn_among(member_ids: Iterable[int], kind: str = MARKETING) -> set[int]:
    """Those of these living members whose last word on this kind took it back; see `has_withdrawn`."""
    return {member_id for member_id, agrees in list_last_words(member_ids, kind).items() if not agrees}


@compiled
def _last_of_kind(*, member_ids: Given, kind: Given) -> QuerySet[ConsentEntry, tuple[int, str]]:
    entries = ConsentEntry.objects.filter(member_id__in=ids_of(member_ids), kind__code=kind)
    return ConsentEntry.objects.filter(pk__in=entries.latest_ids()).values_list("member_id", "action")


def may_reach_ids(kind: str = MARKETING) -> QuerySet[Any, int]:
    """Ids of all members who agree; unevaluated, for segments. Raises NoSuchConsentKind."""
    last = ConsentEntry.objects.filter(kind_id=_kind_id(kind)).latest_ids()
    agreed = ConsentEntry.objects.filter(pk__in=last, action=ConsentAction.AGREED)
    return Member.objects.living().filter(pk__in=agreed.values("member_id")).values_list("pk", flat=True)


def count_agreed(kind: str) -> int:
    """How many living members agree to some version of this kind now. Raises NoSuchConsentKind."""
    return may_reach_ids(kind).count()


def _kind_id(code: str) -> int:
    kind_id = ConsentKind.objects.filter(code=code.replace("\0", "")).values_list("pk", flat=True).first()
    if kind_id is None:
        raise NoSuchConsentKind
    return kind_id


@compiled
def _last_words(*, member_id: Given) -> QuerySet[ConsentEntry]:
    hers = ConsentEntry.objects.filter(member_id=member_id)
    return ConsentEntry.objects.filter(pk__in=hers.latest_ids()).select_related("text", "kind")


def _card(kind: ConsentKind, last: ConsentEntry | None, current: int | None) -> ConsentCard:
    is_agreed = last is not None and last.action == ConsentAction.AGREED
    return ConsentCard(
        kind=kind.code,
        title=kind.title,
        is_required=kind.is_required,
        is_agreed=is_agreed,
        version=None if last is None else last.text.version,
        current_version=current,
        changed_at=None if last is None else last.at,
        door_label="" if last is None else label_of(last, "door"),
        offers_erasure=kind.offers_erasure and last is not None and not is_agreed,
    )
