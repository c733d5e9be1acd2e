"""What files of people ask beside their columns."""

from django import forms
from django.utils.translation import gettext_lazy as _

from core.admin.import_desk import OptionsForm


class OpenidOptions(OptionsForm):
    """Whose openids stand in the file."""

    app_id = forms.CharField(
        label=_("公众号 AppID"), required=False, max_length=40, help_text=_("有公众号 openid 列时填写")
    )
    mini_app_id = forms.CharField(
        label=_("小程序 AppID"), required=False, max_length=40, help_text=_("有小程序 openid 列时填写")
    )
