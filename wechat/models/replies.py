"""Rules by which the account answers."""

import datetime as dt
from typing import Self

from django.core.validators import URLValidator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account
from wechat.models.outbox import MessageKind

_WEB_ADDRESS = URLValidator(schemes=["https", "http"])


class ReplyTrigger(models.TextChoices):
    FOLLOW = "follow", _("关注时")
    SCAN = "scan", _("已关注的人扫码时")
    KEYWORD = "keyword", _("收到关键词")
    MESSAGE = "message", _("收到图片、语音等")
    CLICK = "click", _("点菜单时")
    AFTER_HOURS = "after_hours", _("非营业时间的其他消息")
    DEFAULT = "default", _("其他消息(默认)")


class KeywordMatch(models.TextChoices):
    EXACT = "exact", _("完全一致")
    CONTAINS = "contains", _("包含")
    PATTERN = "pattern", _("正则表达式")


class InboundKind(models.TextChoices):
    """What a member can send besides text, as WeChat names it."""

    IMAGE = "image", _("图片")
    VOICE = "voice", _("语音")
    VIDEO = "video", _("视频")
    LOCATION = "location", _("位置")
    LINK = "link", _("链接")


class ReplyRuleQuerySet(LockingQuerySet["ReplyRule"]):
    def in_order(self) -> Self:
        """The first of equals wins: the higher priority, then the older."""
        return self.order_by("-priority", "pk")

    def bound_to_end(self, at: dt.datetime) -> Self:
        """Active rules that hold now or later."""
        end = Coalesce("valid_until", dt.datetime.max.replace(tzinfo=dt.UTC))
        return self.filter(is_active=True).alias(end=end).filter(end__gt=at)


class ReplyRule(models.Model):
    """One rule: when the account answers; its parts say with what. The most specific trigger wins, then the higher
    priority, then the older.

    Specific means: a follow or scan by this channel code before any; an exact keyword before a contained one, a
    longer contained one before a shorter, both before a pattern; a kind of message before the hours; the default last.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    name = models.CharField(_("规则名"), max_length=60)
    trigger = models.CharField(_("何时回复"), max_length=12, choices=ReplyTrigger)
    channel_code = models.CharField(
        _("渠道码"), max_length=30, blank=True, help_text=_("只在扫这个码时回复；留空表示不限哪个码")
    )
    keyword = models.CharField(_("关键词"), max_length=200, blank=True)
    keyword_match = models.CharField(
        _("匹配方式"), max_length=10, choices=KeywordMatch, default=KeywordMatch.EXACT
    )
    message_kind = models.CharField(_("消息类型"), max_length=12, choices=InboundKind, blank=True)
    menu_key = models.CharField(
        _("菜单标识"), max_length=128, blank=True, help_text=_("菜单里“点击后回复”那一项的标识")
    )
    priority = models.SmallIntegerField(_("优先级"), default=0, help_text=_("同样匹配时，数字大的先用"))
    is_active = models.BooleanField(_("启用"), default=True)
    valid_from = models.DateTimeField(_("开始时间"), null=True, blank=True, help_text=_("留空表示马上开始"))
    valid_until = models.DateTimeField(
        _("结束时间"), null=True, blank=True, help_text=_("到这一刻就不再回复；留空表示一直有效")
    )
    pause_minutes = models.PositiveIntegerField(
        _("同一个人隔多久才再回复（分钟）"),
        default=0,
        help_text=_("0 表示每次都回复；期间她的消息会交给导购"),
    )

    objects = ReplyRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("自动回复")
        verbose_name_plural = _("自动回复")
        ordering = ["trigger", "-priority", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(trigger="keyword") | ~models.Q(keyword=""),
                name="replyrule_keyword_has_a_word",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_from__isnull=True)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="replyrule_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(pause_minutes__lte=10_080), name="replyrule_pause_within_a_week"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReplyPart(models.Model):
    """One message of a rule's answer; parts are sent in the order of their positions.

    `kind` is one of PartKind's or a key of the registry (`wechat.services.reply_kinds`), whose parts need `target`.
    """

    rule = models.ForeignKey(ReplyRule, on_delete=models.CASCADE, related_name="parts")
    position = models.PositiveSmallIntegerField(_("顺序"), default=1)
    kind = models.CharField(_("类型"), max_length=20, default=MessageKind.TEXT)
    text = models.TextField(_("文字内容"), blank=True)
    title = models.CharField(_("标题"), max_length=64, blank=True)
    description = models.CharField(_("摘要"), max_length=120, blank=True)
    url = models.CharField(_("点击后打开"), max_length=1024, blank=True, validators=[_WEB_ADDRESS])
    picture_url = models.CharField(_("封面图地址"), max_length=1024, blank=True, validators=[_WEB_ADDRESS])
    card_app_id = models.CharField(_("小程序 AppID"), max_length=40, blank=True)
    card_page = models.CharField(_("小程序页面"), max_length=255, blank=True)
    picture = models.ImageField(_("图片"), upload_to="reply-cards/", blank=True)
    target = models.CharField(_("给什么"), max_length=40, blank=True)

    class Meta:
        verbose_name = _("回复内容")
        verbose_name_plural = _("回复内容")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return str(dict(MessageKind.choices).get(self.kind, self.kind))


class ReplyTally(models.Model):
    """How often a rule won, and when last: folded from the inbox, never written by a push."""

    rule = models.OneToOneField(ReplyRule, on_delete=models.CASCADE, related_name="tally")
    won_count = models.BigIntegerField(_("命中次数"), default=0)
    last_won_at = models.DateTimeField(_("最近命中"), null=True)

    class Meta:
        verbose_name = _("命中计数")
        verbose_name_plural = _("命中计数")
        constraints = [
            models.CheckConstraint(condition=models.Q(won_count__gte=0), name="replytally_not_negative"),
        ]

    def __str__(self) -> str:
        return f"#{self.rule_id}"


class ReplyTallyCursor(models.Model):
    """The last push whose rule is counted; one row."""

    is_only = models.BooleanField(default=True, unique=True)
    inbound_id = models.BigIntegerField(default=0)

    objects = LockingQuerySet["ReplyTallyCursor"].as_manager()

    class Meta:
        verbose_name = _("命中计数进度")
        verbose_name_plural = _("命中计数进度")

    def __str__(self) -> str:
        return f"#{self.inbound_id}"


class ReplyHours(models.Model):
    """When people of the account answer themselves: a weekly table; outside it the after-hours rules answer."""

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号")
    )
    weekly = models.JSONField(_("每周时间"), default=list, blank=True)

    class Meta:
        verbose_name = _("营业时间")
        verbose_name_plural = _("营业时间")

    def __str__(self) -> str:
        return str(self.account)


class ReplyHoliday(models.Model):
    """Days on which the weekly table does not hold: festivals, stocktaking. Other hours, or closed when empty."""

    hours = models.ForeignKey(ReplyHours, on_delete=models.CASCADE, related_name="holidays")
    name = models.CharField(_("名称"), max_length=20)
    first_on = models.DateField(_("第一天"))
    last_on = models.DateField(_("最后一天"))
    opens_at = models.TimeField(_("开始"), null=True, blank=True, help_text=_("两个都空着表示休息"))
    closes_at = models.TimeField(_("结束"), null=True, blank=True)

    class Meta:
        verbose_name = _("特别日子")
        verbose_name_plural = _("特别日子")
        ordering = ["first_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_on__gte=models.F("first_on")), name="replyholiday_ends_after_start"
            ),
            models.CheckConstraint(
                condition=models.Q(opens_at__isnull=True, closes_at__isnull=True)
                | models.Q(opens_at__isnull=False, closes_at__isnull=False),
                name="replyholiday_both_times_or_none",
            ),
        ]

    def __str__(self) -> str:
        return self.name
