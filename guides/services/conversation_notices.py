"""Who is told that a member wrote: her guide, or the manager who looks after her."""

import datetime as dt

from django.utils.translation import gettext as _

from guides.models import ConversationMessage, GuideNotice, NoticeKind
from guides.selectors.conversations import list_answering_guides
from guides.services.notices import message_guide
from members import selectors as member_selectors


def tell_of_message(*, message: ConversationMessage, member_id: int, is_first: bool, at: dt.datetime) -> None:
    """A notice for each of them, once for the message; a message in their own WeChat only for the first one that
    waits, so that ten lines of hers ring once. Inside the caller's transaction."""
    name = member_selectors.get_member_card(member_id).display_name
    for guide in list_answering_guides(member_id):
        GuideNotice.objects.get_or_create(
            message=message,
            guide=guide,
            defaults={"kind": NoticeKind.MESSAGE_CAME, "member_id": member_id, "created_at": at},
        )
        if is_first:
            message_guide(
                guide=guide,
                text=_("%(member)s 给您发来消息，请在导购助手里回复。") % {"member": name},
                reason_key=f"tell-talk:{message.pk}:{guide.pk}",
                happened_at=message.at,
                at=at,
            )
