from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("营销与触达")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Shared materials are counted here, so the metric is offered."""
        from campaigns.selectors.materials import describe_shares
        from sales.selectors import count_kind

        count_kind("share", describe=describe_shares)
