"""Templates of an account as WeChat has them, and messages that staff sent to try one."""

import datetime as dt
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import LockingQuerySet
from wechat.models.account import Account


class TemplateQuerySet(LockingQuerySet["MessageTemplate"]):
    def live(self) -> Self:
        return self.filter(gone_at=None)


class MessageTemplate(models.Model):
    """One template of an official account or mini-program, as the last synchronisation found it.

    `fields` is what `content` names, in order: `{"name": "thing1", "kind": "thing", "label": "商品名称", "example"}`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", verbose_name=_("账号"))
    template_id = models.CharField(_("模板ID"), max_length=80)
    title = models.CharField(_("标题"), max_length=120)
    content = models.TextField(_("模板内容"))
    example = models.TextField(_("示例"), blank=True)
    fields = models.JSONField(_("字段"), default=list)
    # A mini-program's long-term templates may be sent again after one consent; WeChat gives them to few trades.
    is_lasting = models.BooleanField(_("长期订阅"), default=False)
    synced_at = models.DateTimeField(_("同步时间"))
    gone_at = models.DateTimeField(_("消失时间"), null=True, blank=True)

    objects = TemplateQuerySet.as_manager()

    class Meta:
        verbose_name = _("消息模板")
        verbose_name_plural = _("模板消息")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "template_id"], name="messagetemplate_one_per_account_and_template"
            ),
        ]

    def __str__(self) -> str:
        return self.title


class TemplateTrialQuerySet(LockingQuerySet["TemplateTrial"]):
    def older_than(self, at: dt.datetime) -> Self:
        return self.filter(tried_at__lt=at)


class TemplateTrial(models.Model):
    """One message that staff sent to try a template: to whom, and what came of it. `state` is of SendOutcome, or empty
    while it is under way or when the process died."""

    template = models.ForeignKey(MessageTemplate, on_delete=models.CASCADE, related_name="trials")
    openid = models.CharField(max_length=64)
    tried_at = models.DateTimeField(_("试发时间"))
    tried_by = models.CharField(_("试发人"), max_length=80)
    state = models.CharField(max_length=12, blank=True)
    code = models.CharField(max_length=60, blank=True)
    errcode = models.IntegerField(null=True)
    field = models.CharField(max_length=40, blank=True)
    message_id = models.CharField(max_length=40, blank=True)

    objects = TemplateTrialQuerySet.as_manager()

    class Meta:
        verbose_name = _("模板试发")
        verbose_name_plural = _("模板试发")
        indexes = [
            # Used by the template's page, newest first.
            models.Index(fields=["template", "-tried_at"], name="templatetrial_of_template"),
            # Used when a person is forgotten.
            models.Index(fields=["openid"], name="templatetrial_of_person"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
