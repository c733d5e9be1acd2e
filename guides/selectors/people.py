"""Guides, their logins, and the members they may open."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from core.compiled import Given, compiled
from core.errors import NotFound
from core.labels import label_of
from guides.contracts import Colleague, GuideCard, OpenedMember
from guides.errors import NoSuchGuide
from guides.models import Binding, Guide, GuideLogin, GuidePosting, GuideRemark, GuideRole, GuideState
from guides.selectors.bindings import as_called, binding_line_of, list_cards_for, with_names
from guides.selectors.places import store_card_of
from members import selectors as member_selectors
from members.contracts import MemberCard

_WITH_STORE = ("store__region", "store__dealer")


def guide_card_of(guide: Guide) -> GuideCard:
    """The card of a guide fetched with her store, its region and dealer."""
    return GuideCard(
        id=guide.pk,
        public_id=guide.public_id,
        number=guide.number,
        name=guide.name,
        role="manager" if guide.role == GuideRole.MANAGER else "guide",
        role_label=label_of(guide, "role"),
        store=store_card_of(guide.store),
        is_active=guide.state == GuideState.ACTIVE,
        session_epoch=guide.session_epoch,
    )


def get_guide_card(guide_id: int) -> GuideCard:
    """Also for one who has left. Raises NoSuchGuide."""
    guide = _with_store.first(guide_id=guide_id)
    if guide is None:
        raise NoSuchGuide
    return guide_card_of(guide)


@compiled
def _with_store(*, guide_id: Given) -> QuerySet[Guide]:
    return Guide.objects.select_related(*_WITH_STORE).filter(pk=guide_id)


def list_guide_cards(guide_ids: Iterable[int]) -> dict[int, GuideCard]:
    """Those of these that exist, with their stores, in one query."""
    rows = Guide.objects.select_related(*_WITH_STORE).filter(pk__in=set(guide_ids))
    return {row.pk: guide_card_of(row) for row in rows}


def list_guide_names(guide_ids: Iterable[int]) -> dict[int, str]:
    """The names by row id, in one query, also of guides who have left; no query for nobody."""
    wanted = set(guide_ids)
    return dict(Guide.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def access_guide(*, manager_id: int, public_id: str) -> GuideCard:
    """A guide who works or worked in the store that this one manages. Raises NoSuchGuide for an unknown one and for one
    of other stores alike, and for who manages none."""
    asked = Guide.objects.select_related(*_WITH_STORE).filter(public_id=public_id.replace("\0", "")[:17])
    worked_there = GuidePosting.objects.filter(guide_id=OuterRef("pk"), store_id__in=_managed_by(manager_id))
    guide = asked.filter(Exists(worked_there)).first()
    if guide is None:
        raise NoSuchGuide
    return guide_card_of(guide)


def list_openable_guides(manager_id: int, guide_ids: Iterable[int]) -> dict[int, str]:
    """The public ids of those of these guides whom `access_guide` would open to her, in one query."""
    there = GuidePosting.objects.filter(store_id__in=_managed_by(manager_id), guide_id__in=list(guide_ids))
    return dict(there.values_list("guide_id", "guide__public_id"))


def _managed_by(guide_id: int) -> QuerySet[Guide, Any]:
    return Guide.objects.active().filter(pk=guide_id, role=GuideRole.MANAGER).values("store_id")


def list_colleagues(guide_id: int) -> tuple[Colleague, ...]:
    """The others at work in her store."""
    store = Guide.objects.filter(pk=guide_id).values("store_id")
    others = Guide.objects.active().filter(store_id__in=store).exclude(pk=guide_id).order_by("-role", "name")
    return tuple(
        Colleague(other.pk, other.public_id, other.name, label_of(other, "role")) for other in others
    )


def find_guide_by_login(app_id: str, openid: str) -> GuideCard | None:
    """The active guide whose activated WeChat account this is."""
    login = (
        GuideLogin.objects.filter(app_id=app_id, openid=openid, guide__state=GuideState.ACTIVE)
        .select_related(*(f"guide__{path}" for path in _WITH_STORE))
        .first()
    )
    return None if login is None else guide_card_of(login.guide)


def list_guides_in_wechat(app_id: str, *, limit: int = 300) -> list[tuple[int, str]]:
    """Guides at work who log in through that app, by store and name: their ids and how to tell them apart."""
    logins = GuideLogin.objects.filter(app_id=app_id, guide__state=GuideState.ACTIVE)
    rows = logins.order_by("guide__store__name", "guide__name", "guide_id")
    found = rows.values_list("guide_id", "guide__name", "guide__store__name")
    return [(guide_id, f"{store} · {name}") for guide_id, name, store in found[:limit]]


def find_guide_openid(guide_id: int, app_id: str) -> str | None:
    """The openid with which the guide logs in through that app."""
    login = GuideLogin.objects.filter(guide_id=guide_id, app_id=app_id, guide__state=GuideState.ACTIVE)
    return login.values_list("openid", flat=True).first()


def access_member(*, guide_id: int, public_id: str) -> MemberCard:
    """The member, if she is bound to this guide now, or to anyone of the store this guide manages.

    One who has told nobody her name has the name this guide gave her.

    Raises NotFound for an unknown member and for one who is not hers alike, and for a guide who has left.
    """
    return open_member(guide_id=guide_id, public_id=public_id).card


def open_member(*, guide_id: int, public_id: str) -> OpenedMember:
    """The member as `access_member` gives her, with the binding that opens her. The id of a merged row leads to the
    row she lives on in. Raises NotFound as `access_member` does."""
    public_id = public_id.replace("\0", "")[:17]
    binding = _openable.first(guide_id=guide_id, public_id=public_id)
    if binding is None:
        living = member_selectors.find_member_card(public_id)
        if living is not None and living.public_id != public_id:
            binding = _openable.first(guide_id=guide_id, public_id=living.public_id)
    if binding is None:
        raise NotFound
    card = member_selectors.card_of(binding.member)
    return OpenedMember(as_called(card, binding.remark or ""), binding_line_of(binding))


@compiled
def _openable(*, guide_id: Given, public_id: Given) -> QuerySet[Any, Any]:
    """Her live binding, when it is this guide's or one of the store that this guide manages."""
    active = Guide.objects.active().filter(pk=guide_id)
    managed = active.filter(role=GuideRole.MANAGER).values("store_id")
    hers = Q(guide_id__in=active.values("pk")) | Q(guide__store_id__in=managed)
    remark = GuideRemark.objects.filter(guide_id=guide_id, member_id=OuterRef("member_id"))
    live = Binding.objects.live().filter(hers, member__public_id=public_id, member__merged_into__isnull=True)
    opened: QuerySet[Any, Any] = with_names(live).select_related("member")
    remarked: QuerySet[Any, Any] = opened.annotate(remark=Subquery(remark.values("name")))
    return remarked


def access_members(*, guide_id: int, public_ids: Iterable[str]) -> dict[str, MemberCard]:
    """Those of the members whom `access_member` would open to this guide, by the id that was asked for.

    Unknown members and those who are not hers are missing alike; all are for a guide who has left.
    """
    asked = [public_id.replace("\0", "")[:17] for public_id in public_ids]
    living = member_selectors.find_living_ids(asked)
    cards = list_cards_for(guide_id, openable_ids(guide_id, living.values()))
    return {public_id: cards[row_id] for public_id, row_id in living.items() if row_id in cards}


def openable_ids(guide_id: int, member_ids: Iterable[int]) -> set[int]:
    """Those of these living rows whom `access_member` would open to this guide, in one query."""
    active = Guide.objects.active().filter(pk=guide_id)
    managed = active.filter(role=GuideRole.MANAGER).values("store_id")
    hers = Q(guide_id__in=active.values("pk")) | Q(guide__store_id__in=managed)
    live = Binding.objects.live().filter(hers, member_id__in=set(member_ids))
    return set(live.values_list("member_id", flat=True))
