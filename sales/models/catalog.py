"""What is sold, as far as reports need to know it: rows filled by intake or an import."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class Category(models.Model):
    """One category of goods under the code that tills send."""

    code = models.CharField(_("类目编码"), max_length=40, unique=True)
    name = models.CharField(_("类目名称"), max_length=60, blank=True)

    objects = LockingQuerySet["Category"].as_manager()

    class Meta:
        verbose_name = _("商品类目")
        verbose_name_plural = _("商品类目")

    def __str__(self) -> str:
        return self.name or self.code


class Product(models.Model):
    """One product under the code that tills send. A row made by intake has the name of its first line."""

    code = models.CharField(_("商品编码"), max_length=40, unique=True)
    name = models.CharField(_("商品名称"), max_length=80, blank=True)
    brand = models.CharField(_("品牌"), max_length=40, blank=True, default="", db_default="")
    category = models.ForeignKey(
        Category,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("类目"),
    )
    created_at = models.DateTimeField(_("登记时间"))

    objects = LockingQuerySet["Product"].as_manager()

    class Meta:
        verbose_name = _("商品")
        verbose_name_plural = _("商品")

    def __str__(self) -> str:
        return self.name or self.code
