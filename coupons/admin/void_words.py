"""How voidings are told: on the page of a batch, and on their own."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.admin import thousands, when
from coupons.contracts import VoidProgress


def voidings_shown(title: str, jobs: Sequence[VoidProgress], url: str) -> dict[str, Any]:
    """A part of a page that asks for itself at `url` while one of them runs."""
    return {
        "voiding_title": title,
        "voiding_url": url,
        "is_voiding": any(job.finished_at is None for job in jobs),
        "voidings": [
            {
                "reason": job.reason,
                "percent": job.percent,
                "words": progress_words(job),
                "is_over": job.finished_at is not None,
                "by": job.started_by,
                "at": when(job.finished_at or job.started_at),
            }
            for job in jobs
        ],
    }


def progress_words(job: VoidProgress) -> str:
    return _("作废 %(n)s / %(asked)s 张") % {
        "n": thousands(job.coupon_count),
        "asked": thousands(job.asked_count),
    }
