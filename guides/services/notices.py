"""What guides are told, once per change, and what finds the changes nobody told them."""

import datetime as dt
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from core import clock
from guides.models import Binding, BindingSource, Guide, GuideLogin, GuideNotice, GuideState, NoticeKind
from members import selectors as member_selectors
from wechat.errors import NoAccount
from wechat.services import accounts, outbox

# Nothing new for the guide: she had the member before, in another row or another system.
_SILENT: Final = (BindingSource.MERGE, BindingSource.IMPORT)
_LOOK_BACK: Final = dt.timedelta(days=1)
# Younger changes are being told by their own event just now.
_GRACE: Final = dt.timedelta(seconds=10)
# What is older is no news for her WeChat; the notice in the assistant remains.
NEWS: Final = dt.timedelta(minutes=10)
_BATCH: Final = 500


def tell_of_new_member(*, binding_id: int, at: dt.datetime | None = None) -> bool:
    """The guide has a notice of her new member, and a message in WeChat if she logs in there; once.

    False when she had it already, has left, or the binding is no news (a merge, an import).
    """
    at = at or clock.now()
    with transaction.atomic():
        binding = _new_ones(Binding.objects.filter(pk=binding_id)).select_related("guide").first()
        if binding is None or not _notify(binding, NoticeKind.NEW_MEMBER, at):
            return False
        name = member_selectors.get_member_card(binding.member_id).display_name
        text = _("%(member)s 成为您的专属会员了。") % {"member": name}
        message_guide(
            guide=binding.guide,
            text=text,
            reason_key=f"tell:{binding.pk}",
            happened_at=binding.bound_at,
            at=at,
        )
        return True


def tell_of_lost_member(*, binding_id: int, at: dt.datetime | None = None) -> bool:
    """The guide has a notice that the member is no longer hers, and a message in WeChat; once.

    False when she had it already, has left, or still has the member through another row.
    """
    at = at or clock.now()
    with transaction.atomic():
        binding = _lost_ones(Binding.objects.filter(pk=binding_id)).select_related("guide").first()
        if binding is None or not _notify(binding, NoticeKind.MEMBER_LEFT, at):
            return False
        assert binding.ended_at is not None
        name = member_selectors.get_member_card(binding.member_id).display_name
        text = _("%(member)s 换了专属导购。") % {"member": name}
        message_guide(
            guide=binding.guide,
            text=text,
            reason_key=f"tell-left:{binding.pk}",
            happened_at=binding.ended_at,
            at=at,
        )
        return True


def read_notices(*, guide_id: int, up_to_id: int, at: dt.datetime | None = None) -> int:
    """Her notices up to this one are read; how many were unread. Newer ones stay unread."""
    unread = GuideNotice.objects.unread().filter(guide_id=guide_id, pk__lte=up_to_id)
    return unread.update(read_at=at or clock.now())


def mend_missed_reactions(at: dt.datetime | None = None) -> int:
    """Every change of the last day has had its reaction; how many were mended now.

    Events are lost when the broker dies between a commit and its publishing: bindings nobody told the guide
    of, and members she lost unknowingly.
    """
    at = at or clock.now()
    mended = 0
    begun = Binding.objects.filter(bound_at__gt=at - _LOOK_BACK, bound_at__lte=at - _GRACE)
    for binding_id in _untold(_new_ones(begun), NoticeKind.NEW_MEMBER):
        mended += tell_of_new_member(binding_id=binding_id, at=at)
    ended = Binding.objects.filter(ended_at__gt=at - _LOOK_BACK, ended_at__lte=at - _GRACE)
    for binding_id in _untold(_lost_ones(ended), NoticeKind.MEMBER_LEFT):
        mended += tell_of_lost_member(binding_id=binding_id, at=at)
    return mended


def _new_ones(bindings: QuerySet[Binding]) -> QuerySet[Binding]:
    return bindings.filter(guide__state=GuideState.ACTIVE).exclude(source__in=_SILENT)


def _lost_ones(bindings: QuerySet[Binding]) -> QuerySet[Binding]:
    same_person = Q(member=OuterRef("member")) | Q(member=OuterRef("member__merged_into"))
    still_hers = Binding.objects.live().filter(same_person, guide=OuterRef("guide"))
    return bindings.filter(~Exists(still_hers), guide__state=GuideState.ACTIVE, ended_at__isnull=False)


def _untold(bindings: QuerySet[Binding], kind: NoticeKind) -> list[int]:
    told = GuideNotice.objects.filter(binding=OuterRef("pk"), kind=kind)
    return list(bindings.filter(~Exists(told)).order_by("pk").values_list("pk", flat=True)[:_BATCH])


def _notify(binding: Binding, kind: NoticeKind, at: dt.datetime) -> bool:
    _notice, created = GuideNotice.objects.get_or_create(
        binding=binding,
        kind=kind,
        defaults={"guide_id": binding.guide_id, "member_id": binding.member_id, "created_at": at},
    )
    return created


def message_guide(
    *, guide: Guide, text: str, reason_key: str, happened_at: dt.datetime, at: dt.datetime
) -> None:
    """The guide has this in her own WeChat, once for the reason, if she logs in there and it is news."""
    if at - happened_at > NEWS:
        return
    try:
        account = accounts.get_default_official()
    except NoAccount:
        return
    login = GuideLogin.objects.filter(guide=guide, app_id=account.app_id).first()
    if login is not None:
        # Outside her 48 hours WeChat takes no message; the gateway drops it then, the notice remains.
        outbox.queue_text(account_id=account.id, openid=login.openid, text=text, reason_key=reason_key)
