"""What staff are asked about a lane of sending: its rate, and whether what stopped it is mended."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from core.actor import Actor
from core.admin.base import BaseAdmin
from core.admin.forms import DressedForm
from core.admin.questions import Question, ask, bound_data, staff_actor
from core.admin.unfolded import Text
from core.lanes import FASTEST


class RateForm(DressedForm):
    rate_per_s = forms.IntegerField(label=_("每秒最多发几条"), min_value=1, max_value=FASTEST)


def ask_rate(
    desk: BaseAdmin,
    request: HttpRequest,
    lane: Any,
    *,
    title: Text,
    back_url: str,
    set_rate: Callable[[int, Actor], object],
    hints: Sequence[Text] = (),
) -> HttpResponse:
    """How many a second may leave, of all processes together; `lane` has `rate_per_s`."""

    def run(cleaned: dict[str, Any]) -> str:
        set_rate(cleaned["rate_per_s"], staff_actor(request))
        return _now("发送速度已改为每秒最多 %(n)s 条") % {"n": cleaned["rate_per_s"]}

    question = Question(
        title=title,
        submit=_("保存"),
        back_url=back_url,
        lines=[_("所有发送进程合起来不超过这个数，马上生效"), *hints],
    )
    form = RateForm(bound_data(request), initial={"rate_per_s": lane.rate_per_s})
    return ask(desk, request, question, run, form=form, subject=lane)


def ask_lift(
    desk: BaseAdmin,
    request: HttpRequest,
    lane: Any,
    *,
    title: Text,
    back_url: str,
    why: Text,
    remedy: Text | None,
    lift: Callable[[Actor], object],
    done: Text,
) -> HttpResponse:
    """Whether it sends again, with why it was stopped and what had to be mended; `done` is said afterwards."""

    def run(_cleaned: dict[str, Any]) -> str:
        lift(staff_actor(request))
        return str(done)

    question = Question(
        title=title,
        submit=_("恢复发送"),
        back_url=back_url,
        lines=[
            _("停发原因：%(why)s") % {"why": why},
            *([remedy] if remedy else []),
            _("原因没有解决的话，发第一条时又会停下"),
        ],
    )
    return ask(desk, request, question, run, subject=lane)
