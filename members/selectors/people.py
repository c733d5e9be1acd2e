"""Reads of `members`."""

from collections.abc import Iterable
from typing import Any, Final, cast

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Right
from django.utils.translation import gettext as _

from core import codes, crypto, phones
from core.compiled import Given, compiled, ids_of
from core.errors import NotFound
from core.labels import label_of
from members.contracts import IdentityKind, MemberCard, StageKind
from members.models import Identity, Member, MemberIdentity, MemberStage
from members.selectors.names import typed_tokens

_QUERY_LENGTH: Final = 40
_PHONE_CONTEXT: Final = "members.phones"


def phone_index(digits: str) -> str:
    """The fingerprint under which a number is stored as an identity: equal numbers, equal fingerprints."""
    return crypto.blind_index(digits, context=_PHONE_CONTEXT)


def phone_indexes(digits: str) -> list[str]:
    """The fingerprints under which a number may be kept; several while the index key is rotated."""
    return crypto.blind_indexes(digits, context=_PHONE_CONTEXT)


def card_of(member: Member) -> MemberCard:
    """What may be shown of a member row."""
    return MemberCard(
        id=member.pk,
        public_id=member.public_id,
        code=member.code,
        display_name=_display_name(member),
        is_named=bool(member.name),
        stage=cast("StageKind", member.stage),
        stage_label=label_of(member, "stage"),
        masked_phone=phones.mask(member.phone) if member.phone else "",
        gender=member.gender,
        birthday=member.birthday,
        is_following=member.is_following,
        source_label=label_of(member, "source"),
        registered_at=member.registered_at,
    )


def _display_name(member: Member) -> str:
    if member.stage == MemberStage.ERASED:
        return _("已注销会员")
    return member.name or _("微信会员 %(tail)s") % {"tail": member.code[-4:]}


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
    return {member.pk: card_of(member) for member in Member.objects.filter(pk__in=list(member_ids))}


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
    identities = MemberIdentity.objects.filter(
        member_id__in=list(member_ids), app_id=app_id, kind__in=[Identity.OPENID, Identity.MINI_OPENID]
    )
    found: dict[int, list[str]] = {}
    for member_id, value in identities.order_by("-linked_at", "-pk").values_list("member_id", "value"):
        found.setdefault(member_id, []).append(value)
    return found


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
    targets: dict[int, int] = {}
    open_ids = {member_id: member_id for member_id in member_ids}
    while open_ids:
        steps: dict[int, int | None] = dict(_merged(ids=list(set(open_ids.values()))))
        following: dict[int, int] = {}
        for asked, current in open_ids.items():
            if current not in steps:
                continue
            into = steps[current]
            if into is None:
                targets[asked] = current
            else:
                following[asked] = into
        open_ids = following
    return targets


@compiled
def _merged(*, ids: Given) -> QuerySet[Member, tuple[int, int | None]]:
    return Member.objects.filter(pk__in=ids_of(ids)).values_list("pk", "merged_into_id")


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


def search_member_ids(query: str) -> QuerySet[Any, int]:
    """Ids of living members whom a guide may mean; unevaluated.

    Matches the beginning or end of the name, its pinyin and initials (小美: "美", "xiaomei", "xm"), the last four
    digits of the phone or the whole number, and the member code or its end. An empty query means everyone.
    """
    text = " ".join(query.replace("\0", "").split())[:_QUERY_LENGTH]
    living = Member.objects.living()
    if not text:
        return living.values_list("pk", flat=True)
    wanted = Q(name_tokens__overlap=typed_tokens(text))
    code = codes.normalize(text)
    if len(code) >= 4 and all(character in codes.ALPHABET for character in code):
        wanted |= Q(code_end=code[-4:], code__endswith=code)
    digits = phones.digits_of(text)
    if len(digits) == 4 and digits.isdecimal():
        wanted |= Q(phone_tail=digits)
    elif phones.is_mobile(digits):
        owners = MemberIdentity.objects.filter(
            kind=Identity.PHONE, app_id="", value__in=phone_indexes(digits)
        )
        wanted |= Q(pk__in=owners.values("member_id"))
    # An alias of the very expression of the index member_by_code_end.
    return living.alias(code_end=Right("code", 4)).filter(wanted).values_list("pk", flat=True)
