"""System checks that stop a production start on a missing or sample secret."""

import sys
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

SAMPLE_MARK = "insecure-sample"


@register(Tags.security)
def check_secrets(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """E001–E005: production needs its own secrets, hosts, the real WeChat hosts and no stand-in for texts."""
    if not settings.PRODUCTION:
        return []
    problems: list[CheckMessage] = []
    if SAMPLE_MARK in settings.SECRET_KEY or len(settings.SECRET_KEY) < 40:
        problems.append(
            Error("SECRET_KEY is missing or a sample", hint="Set 50 random characters.", id="core.E001")
        )
    if settings.SAMPLE_KEYS:
        problems.append(
            Error(
                f"{' and '.join(settings.SAMPLE_KEYS)} missing",
                hint="Make them with `python manage.py new_key`.",
                id="core.E002",
            )
        )
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        problems.append(Error("ALLOWED_HOSTS must name your hosts", id="core.E003"))
    if any(not url.startswith("https://") for url in settings.WECHAT_HOSTS.values()):
        problems.append(
            Error(
                "WECHAT_BASE_URL points to a stand-in; production talks to WeChat itself over HTTPS",
                id="core.E004",
            )
        )
    if settings.SMS_GATEWAY == "tencent" and not settings.SMS_ENDPOINT.startswith("https://"):
        problems.append(
            Error("SMS_ENDPOINT without https:// points to a stand-in; leave it out", id="core.E005")
        )
    if settings.SMS_GATEWAY == "tencent" and not (
        settings.SMS_APP_ID and settings.SMS_KEY_ID and settings.SMS_KEY_SECRET
    ):
        problems.append(
            Error("SMS_APP_ID, SMS_KEY_ID and SMS_KEY_SECRET belong to SMS_GATEWAY=tencent", id="core.E006")
        )
    return problems


def refuse_unsafe_start() -> None:
    """Raise ImproperlyConfigured with every problem, whichever program starts: web servers and Celery run no
    checks of their own. `manage.py check` lists them itself, and `new_key` makes what is missing."""
    if sys.argv[1:2] in (["check"], ["new_key"]):
        return
    problems = check_secrets(None)
    if problems:
        raise ImproperlyConfigured("; ".join(f"{problem.id} {problem.msg}" for problem in problems))
