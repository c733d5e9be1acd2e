"""The mini-program's inbox."""

from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import TOPICS
from core.codes import new_public_id
from core.fields import SealedTextField
from core.models import LockingQuerySet


class InboxMessageQuerySet(LockingQuerySet["InboxMessage"]):
    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)


class InboxMessage(models.Model):
    """One message that a member finds in her mini-program."""

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"), db_index=False
    )
    topic = models.CharField(
        _("事项"), max_length=20, choices=[(topic.code, topic.label) for topic in TOPICS.values()]
    )
    title = models.CharField(_("标题"), max_length=60)
    text = SealedTextField(_("内容"))  # up to 1,000 characters; may say what she asked for
    page = models.CharField(_("页面"), max_length=200, blank=True)
    reason_key = models.CharField(max_length=100, unique=True)
    sent_at = models.DateTimeField(_("时间"))
    read_at = models.DateTimeField(_("已读时间"), null=True)

    objects = InboxMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("站内信")
        verbose_name_plural = _("站内信")
        indexes = [
            # Used by her list, and by merging.
            models.Index(fields=["member", "-id"], name="inboxmessage_of_member"),
            # Used by the count on her tab.
            models.Index(
                fields=["member"], name="inboxmessage_unread", condition=models.Q(read_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topic} #{self.pk}"
