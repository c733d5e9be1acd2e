"""话术: what guides and head office answer again and again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class QuickReply(models.Model):
    """One ready answer, with places for names that are filled in when it is chosen."""

    group = models.CharField(_("分类"), max_length=20, blank=True, help_text=_("例如：尺码、门店、售后"))
    title = models.CharField(_("标题"), max_length=30, unique=True)
    text = models.TextField(_("内容"))
    is_active = models.BooleanField(_("启用"), default=True)
    order = models.PositiveSmallIntegerField(_("排序"), default=100, help_text=_("小的在前"))

    objects = LockingQuerySet["QuickReply"].as_manager()

    class Meta:
        verbose_name = _("话术")
        verbose_name_plural = _("话术")

    def __str__(self) -> str:
        return self.title
