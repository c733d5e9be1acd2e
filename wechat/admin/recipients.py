"""A follower, named by whoever sits at a desk: phone number, member code or openid."""

import re
from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

from core.admin import find_answer

HELP: Final = _("会员的手机号或会员码，也可以填 openid")
_OPENID: Final = re.compile(r"o[0-9A-Za-z_-]{20,63}")


def openid_of_words(words: str, *, app_id: str, account_name: str) -> str:
    """The openid meant. Raises ValidationError when there is not exactly one."""
    words = words.strip()
    if _OPENID.fullmatch(words):
        return words
    openid = find_answer("openid_of_words", f"{app_id} {words}")
    if openid is None:
        raise forms.ValidationError(
            _("没有找到唯一一位在「%(name)s」里的会员，请填完整的手机号或会员码") % {"name": account_name}
        )
    return openid
