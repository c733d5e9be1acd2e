from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MiniappConfig(AppConfig):
    name = "miniapp"
    verbose_name = _("小程序接口")
    default_auto_field = "django.db.models.BigAutoField"
