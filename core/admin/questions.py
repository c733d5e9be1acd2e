"""Question pages: what will happen, in words and numbers, then one button. And running services."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from core.actor import Actor
from core.admin.unfolded import Text
from core.errors import Refusal

CONFIRMED = "_confirmed"
_SHOWN_REFUSALS = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """What the page asks: its title, what will happen line by line, the button, and where to go after."""

    title: Text
    submit: Text
    back_url: str
    lines: Sequence[Text] = ()
    is_dangerous: bool = False


def staff_actor(request: HttpRequest) -> Actor:
    """The logged-in staff account as the doer."""
    return Actor.staff(request.user.pk or 0, str(request.user))


def add_refusal(form: forms.Form, refusal: Refusal) -> None:
    """Show a refusal where it belongs: at the field it names, else above the form."""
    named = refusal.details.get("field")
    form.add_error(named if named in form.fields else None, refusal.message)


def ask(
    page: Any,
    request: HttpRequest,
    question: Question,
    run: Callable[[dict[str, Any]], Text | HttpResponse],
    *,
    form: forms.Form | None = None,
    subject: Any = None,
) -> HttpResponse:
    """Show the question; on the confirming POST run it and go back with its message.

    `run` gets the cleaned data and returns the sentence for the green bar, or a response of its own. Its
    refusal is shown on the page with everything typed kept. `form` is bound by the caller (`bound_data`).
    """
    form = form if form is not None else forms.Form(bound_data(request))
    if is_confirmed(request) and form.is_valid():
        try:
            answer = run(form.cleaned_data)
        except Refusal as refusal:
            add_refusal(form, refusal)
        else:
            if isinstance(answer, HttpResponse):
                return answer
            messages.success(request, str(answer))
            return HttpResponseRedirect(question.back_url)
    repeated = [
        (name, value)
        for name in ("action", "_selected_action", "select_across", "index")
        for value in request.POST.getlist(name)
    ]
    context = {
        **page.admin_site.each_context(request),
        "opts": page.model._meta,
        "title": question.title,
        "question": question,
        "form": form,
        "subject": subject,
        "media": form.media,
        "repeated": repeated,
        "confirmed_name": CONFIRMED,
        "has_file_field": form.is_multipart(),
    }
    return TemplateResponse(request, "admin/xiaoer/question.html", context)


def ask_about(
    page: Any,
    request: HttpRequest,
    object_id: str,
    *,
    title: Any,
    lines: Sequence[Text],
    run: Callable[[Any, dict[str, Any]], Text],
    form: forms.Form | None = None,
    is_dangerous: bool = False,
) -> HttpResponse:
    """A question about one row, which leads back to its page; who may not see it gets the answer of an unknown one. `run`
    gets the row and the cleaned data."""
    row = page.subject(request, object_id)
    if row is None:
        no_row: HttpResponse = page.no_subject(request, object_id)
        return no_row
    meta = page.model._meta
    question = Question(
        title=f"{title} · {row}",
        submit=title,
        back_url=reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]),
        lines=lines,
        is_dangerous=is_dangerous,
    )
    return ask(page, request, question, partial(run, row), form=form, subject=row)


def is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and CONFIRMED in request.POST


def bound_data(request: HttpRequest) -> Any:
    """What binds a question's form: the POST when it confirms, nothing when the page is only opened."""
    return request.POST if is_confirmed(request) else None


def run_for_each(
    request: HttpRequest, rows: Iterable[Any], run: Callable[[Any], object], done: Callable[[int], Text]
) -> int:
    """Run a service for each row and tell: one line for all that went, one for each that did not."""
    done_count = 0
    refusals: list[str] = []
    for row in rows:
        try:
            run(row)
        except Refusal as refusal:
            refusals.append(f"{row}：{refusal.message}")
        else:
            done_count += 1
    if done_count:
        messages.success(request, str(done(done_count)))
    for line in refusals[:_SHOWN_REFUSALS]:
        messages.error(request, line)
    if len(refusals) > _SHOWN_REFUSALS:
        messages.error(request, _("还有 %(n)s 项没有完成") % {"n": len(refusals) - _SHOWN_REFUSALS})
    return done_count
