"""What a form offers to choose from, with what was chosen once and is not offered any more."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns.selectors.acts import Pick
from core.remembered import remembered

Options = list[tuple[Any, Any]]


def with_chosen(options: Options, chosen: Collection[Any], names: Mapping[Any, Any]) -> Options:
    """What was chosen stays chosen: a form that lost it would save that it is not wanted."""
    offered = {str(key) for key, _label in options}
    gone = [key for key in chosen if str(key) not in offered]
    return options + [(key, _("%(name)s（现在不能选）") % {"name": names.get(key, key)}) for key in gone]


def picks_of(parameter: Pick, value: Any) -> Options:
    """What there is to pick, and what was."""
    is_usable = isinstance(value, parameter.key) and not isinstance(value, bool)
    names = remembered(parameter.names, (value,)) if is_usable else {}
    return with_chosen(list(remembered(parameter.options)), [] if value in (None, "") else [value], names)


def in_chosen_order(options: Options, chosen: Collection[Any]) -> Options:
    """The chosen ones first, in the order in which they were chosen, where that is another than theirs: the order of channels
    is a chain."""
    wanted = [str(key) for key in chosen]
    if wanted == [str(key) for key, _label in options if str(key) in wanted]:
        return options
    return sorted(
        options, key=lambda one: wanted.index(str(one[0])) if str(one[0]) in wanted else len(wanted)
    )
