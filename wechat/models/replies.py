"""Rules by which the account answers."""

from django.core.validators import URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from wechat.models.account import Account
from wechat.models.outbox import MessageKind

_WEB_ADDRESS = URLValidator(schemes=["https", "http"])


class ReplyTrigger(models.TextChoices):
    FOLLOW = "follow", _("关注时")
    KEYWORD = "keyword", _("收到关键词")
    DEFAULT = "default", _("其他消息(默认)")


class KeywordMatch(models.TextChoices):
    EXACT = "exact", _("完全一致")
    CONTAINS = "contains", _("包含")


class ReplyRule(models.Model):
    """One rule: when, and with what. The most specific trigger wins, then the higher priority, then the older.

    Specific means: a follow by this channel code before any follow; an exact keyword before a contained one,
    a longer contained one before a shorter; the default last.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    name = models.CharField(_("规则名"), max_length=60)
    trigger = models.CharField(_("何时回复"), max_length=10, choices=ReplyTrigger)
    channel_code = models.CharField(
        _("渠道码"), max_length=30, blank=True, help_text=_("只在扫这个码关注时回复；留空表示任何方式的关注")
    )
    keyword = models.CharField(_("关键词"), max_length=60, blank=True)
    keyword_match = models.CharField(
        _("匹配方式"), max_length=10, choices=KeywordMatch, default=KeywordMatch.EXACT
    )
    kind = models.CharField(_("回复类型"), max_length=20, choices=MessageKind, default=MessageKind.TEXT)
    text = models.TextField(_("文字内容"), blank=True, help_text=_("最多 2048 字节，约 680 个汉字"))
    title = models.CharField(_("标题"), max_length=64, blank=True)
    description = models.CharField(_("摘要"), max_length=120, blank=True)
    url = models.CharField(_("点击后打开"), max_length=1024, blank=True, validators=[_WEB_ADDRESS])
    picture_url = models.CharField(_("封面图地址"), max_length=1024, blank=True, validators=[_WEB_ADDRESS])
    card_app_id = models.CharField(_("小程序 AppID"), max_length=40, blank=True)
    card_page = models.CharField(_("小程序页面"), max_length=255, blank=True)
    card_thumb = models.ImageField(
        _("卡片封面"),
        upload_to="reply-cards/",
        blank=True,
        help_text=_("JPG 或 PNG，不超过 64 KB，建议 520×416"),
    )
    priority = models.SmallIntegerField(_("优先级"), default=0, help_text=_("同样匹配时，数字大的先用"))
    is_active = models.BooleanField(_("启用"), default=True)

    class Meta:
        verbose_name = _("自动回复")
        verbose_name_plural = _("自动回复")
        ordering = ["trigger", "-priority", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(trigger="keyword") | ~models.Q(keyword=""),
                name="replyrule_keyword_has_a_word",
            ),
        ]

    def __str__(self) -> str:
        return self.name
