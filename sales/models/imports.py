"""Taking orders and returns over from a file: the job, its documents while they wait, and what could not be read."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import SealedTextField
from core.imports.models import (
    AbstractImportJob,
    AbstractImportMapping,
    AbstractImportProblem,
    ImportJobQuerySet,
)


class IntakeKind(models.TextChoices):
    """What a file holds; one row a line of goods."""

    ORDER = "order", _("销售订单")
    RETURN = "return", _("退货单")


class IntakeJob(AbstractImportJob):
    """One file of orders or returns, from its upload to its end; the file itself is deleted some days later."""

    kind = models.CharField(_("内容"), max_length=6, choices=IntakeKind)
    # The system whose numbers these are: the same number of another source is another document.
    source = models.CharField(_("来源系统"), max_length=16)
    # Lines that were read, usable or not; what is to be settled are the documents made of them.
    row_count = models.PositiveIntegerField(_("行数"), default=0)
    total_count = models.PositiveIntegerField(_("单据数"), default=0)
    # The place of the last document that a slice took.
    done_place = models.PositiveIntegerField(default=0, editable=False)

    objects = ImportJobQuerySet["IntakeJob"].as_manager()

    class Meta(AbstractImportJob.Meta):
        verbose_name = _("订单导入")
        verbose_name_plural = _("订单导入")

    @property
    def checked_line_count(self) -> int:
        return self.row_count


class IntakeDocument(models.Model):
    """One document of a file that is not dealt with yet; gone when the job is over."""

    job = models.ForeignKey(IntakeJob, on_delete=models.CASCADE, related_name="+", db_index=False)
    place = models.PositiveIntegerField()
    # Of the file, where it begins and ends.
    line = models.PositiveIntegerField()
    last_line = models.PositiveIntegerField()
    number = models.CharField(max_length=64)
    revision = models.PositiveIntegerField(default=0)
    digest = models.BinaryField(max_length=32)
    store_code = models.CharField(max_length=20)
    serving_guide = models.CharField(max_length=20, blank=True)
    sharing_guide = models.CharField(max_length=20, blank=True)
    # How it names its member: kind, account and value.
    member = SealedTextField(blank=True)
    # The rest of it; nothing of a person.
    body = models.TextField()
    # A slice looked at it and left it to the engine for single documents.
    is_apart = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("待导入的单据")
        verbose_name_plural = _("待导入的单据")
        constraints = [models.UniqueConstraint(fields=["job", "place"], name="intakedocument_once_per_place")]
        indexes = [
            # Used after each slice.
            models.Index(fields=["job", "place"], name="intakedocument_apart", condition=Q(is_apart=True)),
        ]

    def __str__(self) -> str:
        return f"#{self.place}"


class IntakeProblem(AbstractImportProblem):
    """One line that could not be used, and why: the codes of its cells, never their contents."""

    job = models.ForeignKey(IntakeJob, on_delete=models.CASCADE, related_name="+", db_index=False)


class IntakeMapping(AbstractImportMapping):
    """How the columns under these headings were read last time."""

    kind = models.CharField(max_length=6, choices=IntakeKind)

    class Meta(AbstractImportMapping.Meta):
        constraints = [models.UniqueConstraint(fields=["kind", "headings_digest"], name="intakemapping_once")]
