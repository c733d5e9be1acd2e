"""Signs and templates as the provider approved them."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet


class Purpose(models.TextChoices):
    """The provider sells, counts and refuses each of these on its own."""

    CODE = "code", _("验证码")
    NOTICE = "notice", _("通知")
    MARKETING = "marketing", _("营销")


class ReviewState(models.TextChoices):
    """pending → approved | rejected, as the provider decides; gone: it has it no more."""

    PENDING = "pending", _("审核中")
    APPROVED = "approved", _("已通过")
    REJECTED = "rejected", _("未通过")
    GONE = "gone", _("服务商没有")


class SmsSign(models.Model):
    """One signature that stands in brackets before texts. The default one stands before templates that name none."""

    name = models.CharField(_("签名"), max_length=12, unique=True, help_text=_("不带【】，如：素衣"))
    provider_id = models.CharField(
        _("签名 ID"), max_length=20, blank=True, help_text=_("服务商控制台里的签名 ID，用来核对审核状态")
    )
    is_default = models.BooleanField(_("默认签名"), default=False)
    state = models.CharField(_("审核状态"), max_length=8, choices=ReviewState, default=ReviewState.PENDING)
    review_note = models.CharField(_("审核意见"), max_length=200, blank=True)
    checked_at = models.DateTimeField(_("核对时间"), null=True, blank=True)

    objects = LockingQuerySet["SmsSign"].as_manager()

    class Meta:
        verbose_name = _("短信签名")
        verbose_name_plural = _("短信签名")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], name="smssign_one_default", condition=models.Q(is_default=True)
            ),
        ]

    def __str__(self) -> str:
        return f"【{self.name}】"


class SmsTemplate(models.Model):
    """One template of the provider's; its places are {1}, {2} …"""

    code = models.CharField(_("模板 ID"), max_length=40, unique=True, help_text=_("服务商控制台里的模板 ID"))
    title = models.CharField(_("名称"), max_length=40)
    purpose = models.CharField(
        _("用途"), max_length=9, choices=Purpose, help_text=_("要和申请模板时选的类型一样")
    )
    text = models.TextField(
        _("正文"),
        max_length=500,
        help_text=_("和审核通过的正文一字不差，变量写成 {1}、{2}；营销短信要写明退订方式，如“拒收请回复R”"),
    )
    sign = models.ForeignKey(
        SmsSign,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("签名"),
        null=True,
        blank=True,
        help_text=_("不选：用默认签名"),
    )
    gap_limit = models.PositiveSmallIntegerField(
        _("每个变量最多几个字"),
        default=6,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("以服务商控制台显示的为准，新开通的账号是 6；超过的会截短"),
    )
    is_on = models.BooleanField(_("启用"), default=True)
    state = models.CharField(_("审核状态"), max_length=8, choices=ReviewState, default=ReviewState.PENDING)
    review_note = models.CharField(_("审核意见"), max_length=200, blank=True)
    checked_at = models.DateTimeField(_("核对时间"), null=True, blank=True)

    objects = LockingQuerySet["SmsTemplate"].as_manager()

    class Meta:
        verbose_name = _("短信模板")
        verbose_name_plural = _("短信模板")
        permissions = (("try_smstemplate", _("可以试发短信")),)
        constraints = [
            models.CheckConstraint(
                condition=models.Q(gap_limit__range=(1, 100)), name="smstemplate_gap_limit_sane"
            ),
        ]

    def __str__(self) -> str:
        return self.title
