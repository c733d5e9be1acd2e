"""Which tag of members is which tag of WeChat, and which of the two follows the other."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class LinkDirection(models.TextChoices):
    """The one on the left leads."""

    PUSH = "push", _("会员标签 → 微信标签")
    PULL = "pull", _("微信标签 → 会员标签")


class TagLinkQuerySet(LockingQuerySet["TagLink"]):
    def due(self, at: dt.datetime) -> Self:
        """Those to be looked at: something changed, or the last look was long ago."""
        return self.filter(is_active=True, due_at__lte=at)


class TagLink(models.Model):
    """A tag of ours and a tag of WeChat's say the same. Each tag of WeChat's is in one link at most, so that nobody has to
    decide between two wishes for it."""

    member_tag = models.ForeignKey(
        "members.Tag", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员标签")
    )
    follower_tag = models.ForeignKey(
        "wechat.FollowerTag", on_delete=models.CASCADE, related_name="+", verbose_name=_("微信标签")
    )
    direction = models.CharField(_("方向"), max_length=4, choices=LinkDirection)
    is_active = models.BooleanField(_("启用"), default=True)
    due_at = models.DateTimeField()
    worked_at = models.DateTimeField(_("最近核对"), null=True)
    # Of the last look that changed something.
    put_count = models.PositiveIntegerField(_("新打上"), default=0)
    taken_count = models.PositiveIntegerField(_("去掉"), default=0)
    trouble_code = models.CharField(max_length=60, blank=True)

    objects = TagLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("标签对应")
        verbose_name_plural = _("标签对应")
        constraints = [
            models.UniqueConstraint(
                fields=["follower_tag"],
                name="taglink_one_active_per_follower_tag",
                condition=models.Q(is_active=True),
            ),
        ]
        indexes = [
            # Used by work_tag_links.
            models.Index(fields=["due_at"], name="taglink_due", condition=models.Q(is_active=True)),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
