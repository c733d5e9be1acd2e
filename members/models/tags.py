"""Tags that the chain gives its members, in groups."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.models.people import Member


class TagOrigin(models.TextChoices):
    """Who makes it: people, a rule that is evaluated again and again, or a file."""

    MANUAL = "manual", _("手工")
    RULE = "rule", _("规则")
    IMPORT = "import", _("批量导入")


class TagGroup(models.Model):
    """Tags that belong together: 肤质, 风格, 来店习惯."""

    name = models.CharField(_("名称"), max_length=20)
    order = models.PositiveSmallIntegerField(_("顺序"), default=0, help_text=_("小的排在前面"))
    # Fixed when the group is opened: live rows of the group would have to be told apart otherwise.
    is_exclusive = models.BooleanField(
        _("单选"),
        default=False,
        help_text=_("一位会员在这一组里最多有一个标签，打上新的会换掉旧的；建好后不能改"),
    )

    objects = LockingQuerySet["TagGroup"].as_manager()

    class Meta:
        verbose_name = _("标签组")
        verbose_name_plural = _("标签组")
        constraints = [models.UniqueConstraint(fields=["name"], name="taggroup_one_per_name")]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """One word that may be said of members. A retired one is said of nobody new and stays where it is."""

    group = models.ForeignKey(
        TagGroup, on_delete=models.PROTECT, related_name="tags", verbose_name=_("标签组")
    )
    name = models.CharField(_("名称"), max_length=20)
    origin = models.CharField(_("来源"), max_length=8, choices=TagOrigin, default=TagOrigin.MANUAL)
    is_active = models.BooleanField(_("启用"), default=True)

    objects = LockingQuerySet["Tag"].as_manager()

    class Meta:
        verbose_name = _("标签")
        verbose_name_plural = _("标签")
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="tag_one_per_name")]

    def __str__(self) -> str:
        return self.name


class MemberTagQuerySet(LockingQuerySet["MemberTag"]):
    def live(self, at: dt.datetime) -> Self:
        """Those that hold at this instant: not taken off, not run out."""
        return self.filter(removed_at__isnull=True).filter(
            models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=at)
        )


class MemberTag(models.Model):
    """A member has this tag from one instant to another. Rows are ended, never deleted."""

    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    tag = models.ForeignKey(Tag, on_delete=models.PROTECT, related_name="+", verbose_name=_("标签"))
    # The tag's group where only one of the group may be had: what the constraint below stands on.
    exclusive_group = models.ForeignKey(
        TagGroup, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("单选标签组")
    )
    tagged_at = models.DateTimeField(_("打标签时间"))
    tagged_by = models.CharField(_("操作者"), max_length=90, blank=True)
    origin = models.CharField(_("来源"), max_length=8, choices=TagOrigin, default=TagOrigin.MANUAL)
    expires_at = models.DateTimeField(_("有效期至"), null=True, blank=True)
    removed_at = models.DateTimeField(_("去掉时间"), null=True, blank=True)
    removed_by = models.CharField(_("去掉的人"), max_length=90, blank=True)

    objects = MemberTagQuerySet.as_manager()

    class Meta:
        verbose_name = _("会员标签")
        verbose_name_plural = _("会员标签")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "tag"],
                name="membertag_one_live",
                condition=models.Q(removed_at__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["member", "exclusive_group"],
                name="membertag_one_of_exclusive_group",
                condition=models.Q(removed_at__isnull=True, exclusive_group__isnull=False),
            ),
        ]
        indexes = [
            # Used by the counts of the tag list, by segments, and by listeners of MembersTagged.
            models.Index(
                fields=["tag", "member"],
                name="membertag_live_of_tag",
                condition=models.Q(removed_at__isnull=True),
            ),
            # Used for what a guide gave last.
            models.Index(fields=["tagged_by", "-tagged_at"], name="membertag_by_doer"),
            # Used by expire_tags.
            models.Index(
                fields=["expires_at"],
                name="membertag_to_expire",
                condition=models.Q(removed_at__isnull=True, expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
