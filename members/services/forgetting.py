"""What she withdraws inside WeChat is deleted here.

WeChat tells of it by `user_authorization_revoke` (some data) and `user_authorization_cancellation` (the account with
this app is given up). Official page "授权用户信息变更": `RevokeInfo` names the data by codes, different ones for web
pages (201 …) and mini-programs (1 …), and both events oblige us to delete. What we keep of all those kinds of data is
names, phones and addresses; pictures, places and invoices are never stored.
"""

import datetime as dt
import re
from typing import Final

from core import audit, clock, events
from core.actor import Actor
from core.models import changed_fields
from members.contracts import MemberCard
from members.events import AuthorizationForgotten
from members.models import (
    ConsentDoor,
    ConsentEntry,
    ErasureReason,
    Identity,
    Member,
    MemberAddress,
    MemberIdentity,
    Source,
)
from members.selectors import MARKETING, card_of, find_member_id, phone_indexes
from members.services.consents import withdraw_kinds
from members.services.erasing import erase_member, lock_family
from members.services.forgetting_snapshots import INSIDE_WECHAT, forget_in_snapshots, is_from_wechat
from members.services.identities import Moved, again_if_moved

# Nickname and avatar (web, mini-program), nickname keyboard, avatar component.
_NAME_CODES: Final = frozenset({"205", "6", "19", "20"})
_PHONE_CODES: Final = frozenset({"8"})
_ADDRESS_CODES: Final = frozenset({"201", "2"})
_WECHAT_SOURCES: Final = frozenset({Source.FOLLOW, Source.SCAN, Source.MINI_PROGRAM, Source.SHARE})
# Agreed to inside WeChat: what she gave up there is withdrawn with it.
_WECHAT_DOORS: Final = (ConsentDoor.MINI_PROGRAM, ConsentDoor.OFFICIAL_ACCOUNT, ConsentDoor.WECHAT)


def forget_authorization(
    *,
    app_id: str,
    openid: str,
    revoke_info: str,
    unionid: str | None = None,
    is_cancellation: bool = False,
    actor: Actor,
    at: dt.datetime | None = None,
) -> MemberCard | None:
    """What the withdrawn authorisation covered is gone, from the rows merged into hers as well; consents that hung
    on it are withdrawn, and the audit keeps codes and counts. None for a stranger; twice is once.

    `revoke_info` is WeChat's code or codes; none at all means name, phone and address. What she gave to the shop (at
    a till, by import, to staff) stays, whoever she was merged with: each value remembers where it was given. A
    cancellation erases who came through WeChat and gave the shop nothing; of others what was given inside WeChat is
    gone, and this app does not know them any more.
    """
    at = at or clock.now()
    withdrawn = set(re.findall(r"[0-9]+", revoke_info))

    def forget() -> MemberCard | None:
        found = _find(app_id, openid, unionid)
        if found is None:
            return None
        family = lock_family(found)
        member = family[0]
        if _find(app_id, openid, unionid) != member.pk:
            raise Moved
        if is_cancellation and _is_of_wechat_alone(family):
            _withdraw(member, is_all=True, actor=actor, at=at)
            counts = erase_member(
                member_id=member.pk, reason=ErasureReason.WECHAT_CANCELLED, actor=actor, at=at
            ).counts
            member.refresh_from_db()
        elif is_cancellation:
            counts = {"identity": _unlink(member, app_id), **_forget(family, set())}
            _withdraw(member, is_all=True, actor=actor, at=at)
        else:
            counts = _forget(family, withdrawn)
            if counts.get("phone"):
                _withdraw(member, is_all=False, actor=actor, at=at)
        audit.record(
            action="members.authorization_forgotten",
            subject=member,
            actor=actor,
            at=at,
            codes=sorted(withdrawn),
            is_cancellation=is_cancellation,
            forgotten=sorted(name for name, count in counts.items() if count),
            counts=[f"{name}:{count}" for name, count in sorted(counts.items()) if count],
        )
        codes = "" if is_cancellation else ",".join(sorted(withdrawn))
        events.publish(AuthorizationForgotten(member.pk, app_id, codes))
        return card_of(member)

    return again_if_moved(forget)


def _find(app_id: str, openid: str, unionid: str | None) -> int | None:
    """Whose authorisation it was: by the openid in this app, else by the unionid."""
    found = None
    if openid:
        found = find_member_id("openid", app_id, openid) or find_member_id("mini_openid", app_id, openid)
    return found if found is not None or not unionid else find_member_id("unionid", "", unionid)


def _forget(family: list[Member], withdrawn: set[str]) -> dict[str, int]:
    """How many values of each kind there were and are no more, in her rows and in what undoing a merge would need.

    What she gave to the shop as well, at a till, by import or to staff, is the shop's to keep: each value says
    where it was given, whichever row it came to by a merge.
    """
    wanted = {
        kind
        for kind, codes in (("name", _NAME_CODES), ("phone", _PHONE_CODES), ("address", _ADDRESS_CODES))
        if not withdrawn or withdrawn & codes
    }
    ids = [row.pk for row in family]
    counts = {"name": 0, "phone": 0, "address": 0}
    if "name" in wanted:
        counts["name"] = sum(_forget_name(row) for row in family)
    if "phone" in wanted:
        counts["phone"] = _forget_phones(family)
    if "address" in wanted:
        counts["address"] = MemberAddress.objects.filter(
            member__in=ids, given_through__in=["", *INSIDE_WECHAT]
        ).delete()[0]
    forget_in_snapshots(member_ids=ids, kinds=wanted)
    return counts


def _forget_name(row: Member) -> bool:
    if not row.name or not is_from_wechat(row.name_given_through):
        return False
    row.save(update_fields=changed_fields(row, name="", name_tokens=[], name_given_through=""))
    return True


def _forget_phones(family: list[Member]) -> int:
    """Numbers that were given in WeChat alone are nobody's; of others it is forgotten that they were given there too.

    A row may show a number whose identity is in another row of the family, or given up: it stays with the identity.
    """
    count, kept = 0, set()
    rows = MemberIdentity.objects.filter(member__in=[row.pk for row in family], kind=Identity.PHONE)
    for identity in rows.lock_rows():
        given = [place for place in identity.given_through if not is_from_wechat(place)]
        if given:
            kept.add(identity.value)
            identity.save(update_fields=changed_fields(identity, given_through=given, proved_at=None))
        else:
            identity.delete()
            count += 1
    for row in family:
        if row.phone and kept.isdisjoint(phone_indexes(row.phone)):
            row.save(update_fields=changed_fields(row, phone="", phone_tail=""))
            count += 1
    return count


def _is_of_wechat_alone(family: list[Member]) -> bool:
    """She came through WeChat, and neither a phone nor a card of hers was ever given elsewhere."""
    if family[0].source not in _WECHAT_SOURCES:
        return False
    theirs = MemberIdentity.objects.filter(member__in=[row.pk for row in family])
    places = {place for given in theirs.values_list("given_through", flat=True) for place in given}
    return all(is_from_wechat(place) for place in places)


def _unlink(member: Member, app_id: str) -> int:
    """This app knows her no more; with the last of our apps the unionid, which WeChat gave, goes as well."""
    in_apps = MemberIdentity.objects.filter(member=member, kind__in=[Identity.OPENID, Identity.MINI_OPENID])
    count = in_apps.filter(app_id=app_id).delete()[0]
    if not in_apps.exists():
        count += MemberIdentity.objects.filter(member=member, kind=Identity.UNIONID).delete()[0]
    return count


def _withdraw(member: Member, *, is_all: bool, actor: Actor, at: dt.datetime) -> None:
    """All kinds she agreed to inside WeChat, or the marketing alone: its messages went to the withdrawn phone."""
    kinds = [MARKETING]
    if is_all:
        inside = ConsentEntry.objects.filter(member=member, door__in=_WECHAT_DOORS)
        kinds = list(inside.values_list("kind__code", flat=True).distinct())
    withdraw_kinds(member_id=member.pk, kinds=kinds, door=ConsentDoor.WECHAT, actor=actor, at=at)
