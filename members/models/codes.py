"""The rotating codes that members show at a till."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from members.models.people import Member


class MemberCodeQuerySet(LockingQuerySet["MemberCodeToken"]):
    def expired(self, at: dt.datetime) -> Self:
        return self.filter(expires_at__lte=at)


class MemberCodeToken(models.Model):
    """One code on a member's screen, kept as its keyed fingerprint; good once, for a minute."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+", verbose_name=_("会员"))
    code_index = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(_("有效期至"))
    used_at = models.DateTimeField(_("使用时间"), null=True)
    # The till's request that used it: the same request gets the same answer again.
    used_by_request = models.CharField(max_length=80, blank=True)

    objects = MemberCodeQuerySet.as_manager()

    class Meta:
        verbose_name = _("动态会员码")
        verbose_name_plural = _("动态会员码")
        indexes = [
            # Used when she asks for the next one: hers that are over are deleted.
            models.Index(fields=["member", "expires_at"], name="membercodetoken_of_member"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
