"""django-unfold with types. The library carries none, so what we use of it is declared here, once."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.utils.functional import Promise
from unfold.decorators import action as _action
from unfold.decorators import display as _display
from unfold.enums import ActionVariant

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as _ModelAdmin
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

        def get_custom_urls(self) -> tuple[tuple[str, str, Any], ...]: ...

    class UnfoldTabularInline(_TabularInline[Any, Any]):
        tab: bool

else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline as UnfoldTabularInline

F = TypeVar("F", bound=Callable[..., Any])
Text = str | Promise

VARIANTS = {"": ActionVariant.DEFAULT, "primary": ActionVariant.PRIMARY, "danger": ActionVariant.DANGER}


def column(
    title: Text, *, ordering: Any = None, labels: dict[str, str] | None = None, boolean: bool | None = None
) -> Callable[[F], F]:
    """Names a list column or a read-only field.

    `labels` maps a value to a colour (info, success, warning, danger): the method then returns (value, text).
    """
    return cast(
        "Callable[[F], F]", _display(description=title, ordering=ordering, label=labels, boolean=boolean)
    )


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
        _action(description=title, permissions=list(needs), icon=icon, url_path=path, variant=VARIANTS[variant]),
    )
