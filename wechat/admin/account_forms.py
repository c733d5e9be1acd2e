"""The account form. Secrets go in and never come out: its password inputs are always empty."""

import base64
import binascii
import re
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget

from wechat.models import Account
from wechat.models.account import PushMode

_TOKEN: Final = re.compile(r"[0-9A-Za-z]{3,32}")
_APP_ID: Final = re.compile(r"wx[0-9a-f]{16}")
_SECRET: Final = re.compile(r"[0-9A-Za-z]{16,64}")
_KEY_LENGTH: Final = 43

# Form field → column of the account.
SECRETS: Final = {"secret": "app_secret", "token": "push_token", "key": "aes_key"}


def is_aes_key(text: str) -> bool:
    """Whether WeChat would accept it: 43 letters or digits that decode (with one "=") to 32 bytes."""
    if len(text) != _KEY_LENGTH or not text.isascii() or not text.isalnum():
        return False
    try:
        return len(base64.b64decode(text + "=")) == 32
    except (binascii.Error, ValueError):
        return False


def _secret_field(label: Any, help_text: Any) -> forms.CharField:
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, widget=widget, required=False, strip=True)


class AccountForm(forms.ModelForm[Account]):
    """An account as WeChat's console shows it. A secret left empty stays as it is."""

    secret = _secret_field(_("AppSecret"), _("在微信后台「设置与开发」里生成，只显示一次"))
    token = _secret_field(_("推送令牌（Token）"), _("3–32 位字母或数字，要和微信后台填的一样"))
    key = _secret_field(_("EncodingAESKey"), _("43 位字母或数字；明文模式可以不填"))

    class Meta:
        model = Account
        fields = ("slug", "name", "kind", "app_id", "original_id", "push_mode", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, column in SECRETS.items():
            if name in self.fields and self.instance.pk and getattr(self.instance, column):
                self.fields[name].widget.attrs["placeholder"] = str(_("已设置，留空不改"))
            elif name in self.fields and name != "key":
                self.fields[name].required = True

    def clean_app_id(self) -> str:
        app_id = str(self.cleaned_data["app_id"]).strip()
        if not _APP_ID.fullmatch(app_id):
            raise forms.ValidationError(_("AppID 以 wx 开头，共 18 位，请从微信后台复制"))
        return app_id

    def clean_original_id(self) -> str:
        original_id = str(self.cleaned_data["original_id"]).strip()
        if not original_id.startswith("gh_"):
            raise forms.ValidationError(_("原始ID 以 gh_ 开头，请从微信后台「公众号设置」复制"))
        return original_id

    def clean_secret(self) -> str:
        secret = str(self.cleaned_data["secret"])
        if secret and not _SECRET.fullmatch(secret):
            raise forms.ValidationError(_("AppSecret 只有字母和数字，请重新复制"))
        return secret

    def clean_token(self) -> str:
        token = str(self.cleaned_data["token"])
        if token and not _TOKEN.fullmatch(token):
            raise forms.ValidationError(_("令牌是 3–32 位字母或数字"))
        return token

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if key and not is_aes_key(key):
            raise forms.ValidationError(
                _("EncodingAESKey 是 43 位字母或数字，请在微信后台点「随机生成」后复制")
            )
        return key

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        needs_key = cleaned.get("push_mode") in {PushMode.SAFE, PushMode.COMPATIBLE}
        if needs_key and not cleaned.get("key") and not self.instance.aes_key and "key" not in self.errors:
            self.add_error("key", _("安全模式和兼容模式必须填写 EncodingAESKey"))
        return cleaned

    def save(self, commit: bool = True) -> Account:
        """Put the new secrets in place; a replaced AES key stays as the previous, for pushes on the way."""
        account = self.instance
        for name, column in SECRETS.items():
            new = self.cleaned_data.get(name)
            if not new or new == getattr(account, column):
                continue
            if column == "aes_key" and account.aes_key:
                account.previous_aes_key = account.aes_key
            setattr(account, column, new)
        return super().save(commit)
