"""What a guide keeps about members for herself. Nobody else reads these tables: no guide, no manager, no staff."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.models import LockingQuerySet
from guides.models.people import Guide


class GuideNoteQuerySet(LockingQuerySet["GuideNote"]):
    def kept(self) -> Self:
        """Those she has not deleted."""
        return self.filter(removed_at__isnull=True)


class GuideNote(models.Model):
    """Something one guide wrote down about one member, for her own eyes."""

    guide = models.ForeignKey(Guide, on_delete=models.PROTECT, related_name="+", verbose_name=_("导购"))
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    text = models.CharField(_("内容"), max_length=500)
    created_at = models.DateTimeField(_("写下时间"))
    edited_at = models.DateTimeField(_("修改时间"), null=True, blank=True)
    removed_at = models.DateTimeField(_("删除时间"), null=True, blank=True)
    request_key = models.CharField(
        max_length=40, null=True
    )  # the form that asked: a second tap is no second note

    objects = GuideNoteQuerySet.as_manager()

    class Meta:
        verbose_name = _("导购备注")
        verbose_name_plural = _("导购备注")
        constraints = [
            models.UniqueConstraint(fields=["guide", "request_key"], name="guidenote_once_per_request"),
        ]
        indexes = [
            models.Index(
                fields=["guide", "member", "-created_at"],
                name="guidenote_kept",
                condition=models.Q(removed_at__isnull=True),
            ),
            # Used when a member is merged.
            models.Index(fields=["member"], name="guidenote_of_member"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class GuideTag(models.Model):
    """A word one guide made up for her own members."""

    guide = models.ForeignKey(Guide, on_delete=models.PROTECT, related_name="+", verbose_name=_("导购"))
    name = models.CharField(_("名称"), max_length=20)

    objects = LockingQuerySet["GuideTag"].as_manager()

    class Meta:
        verbose_name = _("导购标签")
        verbose_name_plural = _("导购标签")
        constraints = [models.UniqueConstraint(fields=["guide", "name"], name="guidetag_one_per_name")]

    def __str__(self) -> str:
        return self.name


class GuideMemberTag(models.Model):
    """A member has this tag of this guide. Hers alone, so no history is kept: taken off is gone."""

    tag = models.ForeignKey(GuideTag, on_delete=models.CASCADE, related_name="+", verbose_name=_("标签"))
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    tagged_at = models.DateTimeField(_("打标签时间"))

    objects = LockingQuerySet["GuideMemberTag"].as_manager()

    class Meta:
        verbose_name = _("导购给会员的标签")
        verbose_name_plural = _("导购给会员的标签")
        constraints = [models.UniqueConstraint(fields=["tag", "member"], name="guidemembertag_once")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class GuideRemark(models.Model):
    """What one guide calls a member who has told nobody her name."""

    guide = models.ForeignKey(Guide, on_delete=models.PROTECT, related_name="+", verbose_name=_("导购"))
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="+", verbose_name=_("会员")
    )
    name = SealedTextField(_("称呼"))  # at most 20 characters
    name_tokens = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)

    objects = LockingQuerySet["GuideRemark"].as_manager()

    class Meta:
        verbose_name = _("导购给会员的称呼")
        verbose_name_plural = _("导购给会员的称呼")
        constraints = [
            models.UniqueConstraint(fields=["guide", "member"], name="guideremark_one_per_member"),
        ]

    def __str__(self) -> str:
        return self.name
