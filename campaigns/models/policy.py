"""What the chain decided about reaching members: quiet hours, how often, and what of which topic."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.contracts import CHANNEL_LABELS, TOPICS
from campaigns.models.reaches import Importance
from core.models import LockingQuerySet


class ReachPolicy(models.Model):
    """The chain's one row about when members are left alone; a migration writes the first."""

    is_quiet_on = models.BooleanField(_("启用免打扰"), default=True)
    quiet_from = models.TimeField(_("免打扰开始"), help_text=_("北京时间"))
    quiet_until = models.TimeField(
        _("免打扰结束"),
        help_text=_("这段时间里的通知到结束时再发；必须告知的不受限制"),
    )

    mass_needs_second = models.BooleanField(
        _("群发要另一位员工确认"),
        default=True,
        help_text=_("群发收不回来：编写的人不能自己确认"),
    )

    class Meta:
        verbose_name = _("触达规则")
        verbose_name_plural = _("触达规则")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="reachpolicy_one_row"),
            models.CheckConstraint(
                condition=~models.Q(quiet_from=models.F("quiet_until")), name="reachpolicy_quiet_has_length"
            ),
        ]

    def __str__(self) -> str:
        return str(_("触达规则"))


class CapSpan(models.TextChoices):
    DAY = "day", _("每天")
    WEEK = "week", _("每 7 天")


class FrequencyCap(models.Model):
    """At most so many messages to one member in a span of Shanghai days. What she must know is not counted against it, and
    the inbox is never limited: it makes no noise."""

    policy = models.ForeignKey(ReachPolicy, on_delete=models.CASCADE, related_name="caps")
    channel = models.CharField(
        _("通道"),
        max_length=15,
        blank=True,
        choices=[(code, label) for code, label in CHANNEL_LABELS.items() if code != "inbox"],
        help_text=_("不选：所有通道合计"),
    )
    importance = models.CharField(
        _("重要程度"),
        max_length=9,
        blank=True,
        choices=[(one.value, one.label) for one in Importance if one != Importance.MUST],
        help_text=_("不选：一般通知和营销合计"),
    )
    span = models.CharField(_("周期"), max_length=4, choices=CapSpan, default=CapSpan.DAY)
    most = models.PositiveSmallIntegerField(
        _("最多几条"), validators=[MinValueValidator(1), MaxValueValidator(100)]
    )

    class Meta:
        verbose_name = _("频次上限")
        verbose_name_plural = _("频次上限")
        ordering = ("channel", "importance", "span")
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "channel", "importance", "span"], name="frequencycap_one_of_a_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(most__range=(1, 100)), name="frequencycap_some_but_few"
            ),
        ]

    def __str__(self) -> str:
        return str(_("%(span)s最多 %(most)s 条")) % {"span": self.get_span_display(), "most": self.most}


class TopicRule(models.Model):
    """What the chain decided about one topic; a topic without a row is handled as its default says."""

    topic = models.CharField(
        _("事项"),
        max_length=20,
        unique=True,
        choices=[(topic.code, topic.label) for topic in TOPICS.values()],
    )
    is_on = models.BooleanField(_("启用"), default=True)
    importance = models.CharField(_("重要程度"), max_length=9, choices=Importance)
    channels = models.CharField(_("通道"), max_length=80)  # names, in the order of the chain, comma-separated

    objects = LockingQuerySet["TopicRule"].as_manager()

    class Meta:
        verbose_name = _("触达事项")
        verbose_name_plural = _("触达事项")
        constraints = [
            models.CheckConstraint(condition=~models.Q(channels=""), name="topicrule_has_a_channel"),
        ]

    def __str__(self) -> str:
        return str(TOPICS[self.topic].label) if self.topic in TOPICS else self.topic


class MappingKind(models.TextChoices):
    SUBSCRIPTION = "subscription", _("订阅消息")
    TEMPLATE = "template", _("模板消息")


class TopicTemplate(models.Model):
    """Which template says a topic in an account, what fills each of its keywords, and where it leads.

    `fields`: keyword → {"value": name of a value of the topic} or {"words": a fixed text}.
    """

    topic = models.CharField(
        _("事项"), max_length=20, choices=[(topic.code, topic.label) for topic in TOPICS.values()]
    )
    account = models.ForeignKey(
        "wechat.Account", on_delete=models.CASCADE, related_name="+", verbose_name=_("账号")
    )
    kind = models.CharField(_("类型"), max_length=12, choices=MappingKind)
    template_id = models.CharField(_("模板"), max_length=64)
    fields = models.JSONField(_("字段"), default=dict)
    page = models.CharField(
        _("打开的页面"), max_length=200, blank=True, help_text=_("小程序页面路径；不填用通知自己的页面")
    )
    is_on = models.BooleanField(_("启用"), default=True)

    objects = LockingQuerySet["TopicTemplate"].as_manager()

    class Meta:
        verbose_name = _("通知模板")
        verbose_name_plural = _("通知模板")
        constraints = [
            models.UniqueConstraint(
                fields=["topic", "account", "kind"], name="topictemplate_one_per_topic_and_account"
            ),
        ]

    def __str__(self) -> str:
        topic = TOPICS[self.topic].label if self.topic in TOPICS else self.topic
        return f"{topic} · {self.get_kind_display()}"


class TopicText(models.Model):
    """Which template of the provider's says a topic by text message, and what fills each of its places.

    `fields`: number of the place → {"value": name of a value of the topic} or {"words": a fixed text}.
    """

    topic = models.CharField(
        _("事项"),
        max_length=20,
        unique=True,
        choices=[(topic.code, topic.label) for topic in TOPICS.values()],
    )
    template = models.ForeignKey(
        "sms.SmsTemplate", on_delete=models.PROTECT, related_name="+", verbose_name=_("短信模板")
    )
    fields = models.JSONField(_("变量"), default=dict)
    is_on = models.BooleanField(_("启用"), default=True)

    objects = LockingQuerySet["TopicText"].as_manager()

    class Meta:
        verbose_name = _("短信内容")
        verbose_name_plural = _("短信内容")

    def __str__(self) -> str:
        return str(TOPICS[self.topic].label) if self.topic in TOPICS else self.topic
