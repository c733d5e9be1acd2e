"""Reads of `members`."""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, cast

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from core import crypto, phones
from core.compiled import Given, compiled, ids_of
from core.errors import NotFound
from core.labels import labels_of
from members.contracts import IdentityKind, MemberCard, StageKind
from members.models import Identity, Member, MemberIdentity, MemberStage

_PHONE_CONTEXT: Final = "members.phones"


def phone_index(digits: str) -> str:
    """The fingerprint under which a number is stored as an identity: equal numbers, equal fingerprints."""
    return crypto.blind_index(digits, context=_PHONE_CONTEXT)


def phone_indexes(digits: str) -> list[str]:
    """The fingerprints under which a number may be kept; several while the index key is rotated."""
    return crypto.blind_indexes(digits, context=_PHONE_CONTEXT)


# What a card is made of, in the order of `cards_from`.
CARD_FIELDS: Final = (
    "id",
    "public_id",
    "code",
    "stage",
    "name",
    "phone",
    "gender",
    "birthday",
    "is_following",
    "source",
    "registered_at",
)
_of_card: Final = attrgetter(*CARD_FIELDS)


def card_of(member: Member) -> MemberCard:
    """What may be shown of a member row."""
    return cards_from([_of_card(member)])[0]


def cards_from(rows: Iterable[Sequence[Any]]) -> list[MemberCard]:
    """The same of rows of `CARD_FIELDS`, for lists that need no more of a member."""
    stages, sources = labels_of(Member, "stage"), labels_of(Member, "source")
    return [
        MemberCard(
            id=row_id,
            public_id=public_id,
            code=code,
            display_name=_display_name(stage, name, code),
            is_named=bool(name),
            stage=cast("StageKind", stage),
            stage_label=stages.get(stage) or stage,
            masked_phone=phones.mask(phone) if phone else "",
            gender=gender,
            birthday=birthday,
            is_following=is_following,
            source_label=sources.get(source) or source,
            registered_at=registered_at,
        )
        for (
            row_id,
            public_id,
            code,
            stage,
            name,
            phone,
            gender,
            birthday,
            is_following,
            source,
            registered_at,
        ) in rows
    ]


def _display_name(stage: str, name: str, code: str) -> str:
    if stage == MemberStage.ERASED:
        return _("已注销会员")
    return name or _("微信会员 %(tail)s") % {"tail": code[-4:]}


def get_member_card(member_id: int) -> MemberCard:
    """The member with that row id, merged or not. Raises NotFound."""
    member = _row.first(member_id=member_id)
    if member is None:
        raise NotFound
    return card_of(member)


@compiled
def _row(*, member_id: Given) -> QuerySet[Member]:
    return Member.objects.filter(pk=member_id)


def find_member_card(public_id: str) -> MemberCard | None:
    """The living member with that public id; the id of a merged row leads to the row she lives on in."""
    member = (
        Member.objects.select_related("merged_into")
        .filter(public_id=public_id.replace("\0", "")[:17])
        .first()
    )
    while member is not None and member.merged_into is not None:
        member = member.merged_into
    return None if member is None else card_of(member)


def find_living_ids(public_ids: Iterable[str]) -> dict[str, int]:
    """For each public id the living row it stands for; unknown ones are missing."""
    rows = dict(Member.objects.filter(public_id__in=list(public_ids)).values_list("public_id", "pk"))
    targets = list_merge_targets(rows.values())
    return {public_id: targets[row_id] for public_id, row_id in rows.items() if row_id in targets}


def born_in_month_ids(month: int) -> QuerySet[Any, int]:
    """Ids of the living members whose birthday is in that month; unevaluated."""
    return Member.objects.living().filter(birthday__month=month).values_list("pk", flat=True)


def list_member_cards(member_ids: Iterable[int]) -> dict[int, MemberCard]:
    """The cards by row id, in one query; ids that do not exist are missing."""
    rows = Member.objects.filter(pk__in=list(member_ids)).values_list(*CARD_FIELDS)
    return {card.id: card for card in cards_from(rows)}


def find_member_id(kind: IdentityKind, app_id: str, value: str) -> int | None:
    """Whom an outside identity belongs to. `value` of a phone is the number; it is looked up by its index."""
    values = phone_indexes(phones.digits_of(value)) if kind == "phone" else [value]
    identity = MemberIdentity.objects.filter(kind=kind, app_id=app_id, value__in=values)
    return identity.values_list("member_id", flat=True).first()


def find_openid(member_id: int, app_id: str) -> str | None:
    """Her openid in one app, the newest when she has several (a merged member may)."""
    identities = MemberIdentity.objects.filter(
        member_id=member_id, app_id=app_id, kind__in=[Identity.OPENID, Identity.MINI_OPENID]
    )
    return identities.order_by("-linked_at", "-pk").values_list("value", flat=True).first()


def list_openids(member_ids: Iterable[int], app_id: str) -> dict[int, list[str]]:
    """The openids of each in one app, the newest first (a merged member may have several); who has none is missing."""
    found: dict[int, list[str]] = {}
    for member_id, value in _openids(member_ids=list(member_ids), app_id=app_id):
        found.setdefault(member_id, []).append(value)
    return found


@compiled
def _openids(*, member_ids: Given, app_id: Given) -> QuerySet[MemberIdentity, tuple[int, str]]:
    identities = MemberIdentity.objects.filter(
        member_id__in=ids_of(member_ids), app_id=app_id, kind__in=[Identity.OPENID, Identity.MINI_OPENID]
    )
    return identities.order_by("-linked_at", "-pk").values_list("member_id", "value")


def list_openid_owners(openids: Iterable[str], app_id: str) -> dict[str, int]:
    """The living rows these openids of one app belong to; those of nobody, or of somebody erased, are missing."""
    rows = MemberIdentity.objects.filter(app_id=app_id, value__in=list(openids))
    owners = dict(
        rows.filter(kind__in=[Identity.OPENID, Identity.MINI_OPENID]).values_list("value", "member_id")
    )
    targets = list_merge_targets(owners.values())
    return {openid: targets[owner] for openid, owner in owners.items() if owner in targets}


def known_in_wechat_ids(member_ids: Iterable[int]) -> set[int]:
    """Those of these who are known in an official account or a mini-program of ours."""
    identities = MemberIdentity.objects.filter(
        member_id__in=list(member_ids), kind__in=[Identity.OPENID, Identity.MINI_OPENID]
    )
    return set(identities.values_list("member_id", flat=True))


def list_phones(member_ids: Iterable[int]) -> dict[int, str]:
    """The numbers of those of these who have one that can get texts; for whoever sends, never for a screen."""
    rows = Member.objects.filter(pk__in=list(member_ids)).values_list("pk", "phone")
    return {member_id: phone for member_id, phone in rows if phones.is_mobile(phone)}


def with_phone_ids(member_ids: Iterable[int]) -> set[int]:
    """Those of these of whom a phone is known."""
    identities = MemberIdentity.objects.filter(member_id__in=list(member_ids), kind=Identity.PHONE)
    return set(identities.values_list("member_id", flat=True))


def with_any_phone_ids() -> QuerySet[Any, int]:
    """Ids of all members of whom a phone is known; unevaluated, for composition."""
    return MemberIdentity.objects.filter(kind=Identity.PHONE).values_list("member_id", flat=True)


def list_wechat_identities(member_id: int) -> tuple[list[tuple[str, str]], list[str]]:
    """((app id, openid) of every app of ours she is known in, her unionids): what the gateway knows her by."""
    rows = MemberIdentity.objects.filter(
        member_id=member_id, kind__in=[Identity.OPENID, Identity.MINI_OPENID, Identity.UNIONID]
    ).values_list("kind", "app_id", "value")
    openids = [(app_id, value) for kind, app_id, value in rows if kind != Identity.UNIONID]
    return openids, [value for kind, _app_id, value in rows if kind == Identity.UNIONID]


def living_member_ids() -> QuerySet[Any, int]:
    """Ids of all who are not merged into another row; unevaluated, for composition."""
    return Member.objects.living().values_list("pk", flat=True)


def list_merge_targets(member_ids: Iterable[int]) -> dict[int, int]:
    """For each id the living row it stands for (itself when not merged); unknown ids are missing."""
    return {asked: target for asked, (target, _is_erased) in _targets(member_ids).items()}


def list_living_targets(member_ids: Iterable[int]) -> dict[int, int]:
    """The same without those who were erased."""
    return {asked: target for asked, (target, is_erased) in _targets(member_ids).items() if not is_erased}


def _targets(member_ids: Iterable[int]) -> dict[int, tuple[int, bool]]:
    """For each id the row that its merges end in, and whether that one was erased."""
    targets: dict[int, tuple[int, bool]] = {}
    open_ids = {member_id: member_id for member_id in member_ids}
    while open_ids:
        steps = {pk: (into, stage) for pk, into, stage in _merged(ids=list(set(open_ids.values())))}
        following: dict[int, int] = {}
        for asked, current in open_ids.items():
            if current not in steps:
                continue
            into, stage = steps[current]
            if into is None:
                targets[asked] = (current, stage == MemberStage.ERASED)
            else:
                following[asked] = into
        open_ids = following
    return targets


@compiled
def _merged(*, ids: Given) -> QuerySet[Member, tuple[int, int | None, str]]:
    return Member.objects.filter(pk__in=ids_of(ids)).values_list("pk", "merged_into_id", "stage")


def person_row_ids(member_id: int | Given) -> QuerySet[Any, int]:
    """Her row and all that live on in it, directly or along a chain of merges; unevaluated, for composition."""
    person = RawSQL(
        """
        WITH RECURSIVE person(id) AS (
            SELECT %s::bigint
            UNION
            SELECT other.id FROM members_member AS other JOIN person ON other.merged_into_id = person.id
        )
        SELECT id FROM person
        """,
        [member_id],
    )
    return Member.objects.filter(pk__in=person).values_list("pk", flat=True)
