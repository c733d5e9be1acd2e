from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("系统")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from core import checks, lookups

        lookups.register_lookups()
        checks.refuse_unsafe_start()
