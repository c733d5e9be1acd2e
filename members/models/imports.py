"""Taking members over from a file: the job, its rows while they wait, what could not be read, and whom it may mean.

A row stands in `ImportRow` only until it is dealt with: it is read into it, written to the members' tables from it,
and gone. Personal values lie there as they will lie in the tables they are meant for: sealed, or as fingerprints.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.imports.models import (
    AbstractImportJob,
    AbstractImportMapping,
    AbstractImportProblem,
    ImportJobQuerySet,
)
from core.models import LockingQuerySet
from members.models.people import Gender, Member


class ImportJob(AbstractImportJob):
    """One file of members, from its upload to its end; the file itself is deleted some days later."""

    # The newest member when the job began: rows of one file are never likened to one another.
    newest_member_id = models.BigIntegerField(null=True, editable=False)

    objects = ImportJobQuerySet["ImportJob"].as_manager()

    class Meta(AbstractImportJob.Meta):
        verbose_name = _("会员导入")
        verbose_name_plural = _("会员导入")


class ImportRow(models.Model):
    """One readable line of the file that is not dealt with yet, in the shape in which it will be written."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="+")
    line = models.PositiveIntegerField()
    # Waits for a person to say whether it is the same member.
    is_waiting = models.BooleanField(default=False)
    # The keyed fingerprint of its identities: the same row of another file has the same one.
    row_key = models.CharField(max_length=64)
    public_id = models.CharField(max_length=16)
    code = models.CharField(max_length=12)
    # Sealed for members_member.name and .phone, and for members_memberaddress.street.
    name = models.TextField(blank=True)
    name_tokens = ArrayField(models.BigIntegerField(), default=list)
    gender = models.CharField(max_length=8, choices=Gender, blank=True)
    birthday = models.DateField(null=True)
    phone = models.TextField(blank=True)
    phone_tail = models.CharField(max_length=4, blank=True)
    registered_at = models.DateTimeField(null=True)
    phone_index = models.CharField(max_length=64, blank=True)
    card = models.CharField(max_length=80, blank=True)
    unionid = models.CharField(max_length=80, blank=True)
    openid = models.CharField(max_length=80, blank=True)
    mini_openid = models.CharField(max_length=80, blank=True)
    province = models.CharField(max_length=40, blank=True)
    city = models.CharField(max_length=40, blank=True)
    district = models.CharField(max_length=40, blank=True)
    street = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=20), default=list)
    points = models.BigIntegerField(null=True)

    objects = LockingQuerySet["ImportRow"].as_manager()

    class Meta:
        verbose_name = _("待导入的行")
        verbose_name_plural = _("待导入的行")
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="importrow_once_per_line")]

    def __str__(self) -> str:
        return f"#{self.line}"


class ImportProblem(AbstractImportProblem):
    """One line that could not be read, and why: the codes of its cells, never their contents."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="+")


class CandidateWhy(models.TextChoices):
    """What makes a row look like a member who is not surely the same."""

    TWO_OWNERS = "two_owners", _("卡号、手机号等属于不同的会员")
    OTHER_PHONE = "other_phone", _("卡号相同，手机号或 unionid 不同")
    NAME_BIRTHDAY = "name_birthday", _("姓名和生日相同")
    NAME_TAIL = "name_tail", _("姓名和手机尾号相同")
    NAME_ADDRESS = "name_address", _("姓名和所在区县相同")


class CandidateState(models.TextChoices):
    """waiting → same | different | skipped."""

    WAITING = "waiting", _("待确认")
    SAME = "same", _("同一人")
    DIFFERENT = "different", _("不是同一人")
    SKIPPED = "skipped", _("跳过")


class ImportCandidate(models.Model):
    """A row that may be this member: a person says whether it is. What was said holds for later files too."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="+", verbose_name=_("会员导入"))
    line = models.PositiveIntegerField(_("行"))
    row_key = models.CharField(max_length=64, editable=False)
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="+", verbose_name=_("会员"))
    why = models.CharField(_("原因"), max_length=16, choices=CandidateWhy)
    state = models.CharField(_("结论"), max_length=10, choices=CandidateState, default=CandidateState.WAITING)
    decided_at = models.DateTimeField(_("确认时间"), null=True, blank=True)
    decided_by = models.CharField(_("确认人"), max_length=90, blank=True)

    objects = LockingQuerySet["ImportCandidate"].as_manager()

    class Meta:
        verbose_name = _("待确认的会员")
        verbose_name_plural = _("待确认的会员")
        constraints = [
            models.UniqueConstraint(fields=["row_key", "member"], name="importcandidate_asked_once"),
        ]
        indexes = [
            # Used by the queue of one job.
            models.Index(
                fields=["job", "line"], name="importcandidate_waiting", condition=Q(state="waiting")
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.line}"


class ImportMapping(AbstractImportMapping):
    """How the columns under these headings were read last time."""

    class Meta(AbstractImportMapping.Meta):
        constraints = [
            models.UniqueConstraint(fields=["headings_digest"], name="importmapping_one_per_headings"),
        ]
