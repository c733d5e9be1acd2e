"""django-unfold with types. The library carries none, so what we use of it is declared here, once."""

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.utils.functional import Promise
from unfold.decorators import action as _action
from unfold.decorators import display as _display
from unfold.enums import ActionVariant

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin
    from django.contrib.admin import StackedInline as _StackedInline
    from django.contrib.admin import TabularInline as _TabularInline

    class UnfoldModelAdmin(_ModelAdmin[Any]):
        actions_detail: Any
        actions_list: Any
        list_filter_sheet: bool
        compressed_fields: bool
        warn_unsaved_form: bool
        list_before_template: str | None
        change_form_outer_before_template: str | None
        change_form_outer_after_template: str | None

        def _get_obj_does_not_exist_redirect(self, request: Any, opts: Any, object_id: str) -> Any: ...
        def get_actions_detail(self, request: Any, object_id: Any) -> list[Any]: ...
        def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]: ...

    class UnfoldStackedInline(_StackedInline[Any, Any]):
        tab: bool

    class UnfoldTabularInline(_TabularInline[Any, Any]):
        tab: bool

else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import StackedInline as UnfoldStackedInline
    from unfold.admin import TabularInline as UnfoldTabularInline

__all__ = [
    "Labelled",
    "Text",
    "UnfoldModelAdmin",
    "UnfoldStackedInline",
    "UnfoldTabularInline",
    "column",
    "operation",
]

F = TypeVar("F", bound=Callable[..., Any])
Text = str | Promise

VARIANTS = {"": ActionVariant.DEFAULT, "primary": ActionVariant.PRIMARY, "danger": ActionVariant.DANGER}


class Labelled(tuple[str, str]):
    """(value, text): a list shows the text in the value's colour, a detail page just the text."""

    def __str__(self) -> str:
        return str(self[1])


def _labelled(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def labelled(*args: Any) -> Labelled:
        return Labelled(method(*args))

    return labelled


def column(
    title: Text, *, ordering: Any = None, labels: dict[str, str] | None = None, boolean: bool | None = None
) -> Callable[[F], F]:
    """Names a list column or a read-only field.

    `labels` maps a value to a colour (info, success, warning, danger): the method then returns (value, text).
    """
    named = _display(description=title, ordering=ordering, label=labels, boolean=boolean)

    def decorate(method: F) -> F:
        return cast("F", named(_labelled(method) if labels is not None else method))

    return decorate


def operation(
    title: Text,
    *,
    icon: str | None = None,
    variant: str = "",
    needs: Sequence[str] = ("operate",),
    path: str | None = None,
) -> Callable[[F], F]:
    """Names an action: a bulk action of a list, or a button of a detail page."""
    return cast(
        "Callable[[F], F]",
        _action(
            description=title, permissions=list(needs), icon=icon, url_path=path, variant=VARIANTS[variant]
        ),
    )
