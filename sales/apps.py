from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SalesConfig(AppConfig):
    name = "sales"
    verbose_name = _("销售与业绩")
    default_auto_field = "django.db.models.BigAutoField"
