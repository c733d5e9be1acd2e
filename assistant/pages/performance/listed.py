"""The page of a list behind a number: of orders, of members, of coupons."""

import dataclasses
from typing import Any, Generic, TypeVar

from django.utils.translation import gettext as _

from assistant.pages.performance.asked import Asked, period_links
from assistant.pages.shell import Link, Shell, Stretch
from guides.contracts import GuideCard

Row = TypeVar("Row")


@dataclasses.dataclass(frozen=True, slots=True)
class NumberList(Generic[Row]):
    shell: Shell
    title: str
    store_name: str  # a manager's list of the store
    periods: tuple[Link, ...]
    list: Stretch[Row]
    rows_template: str


def number_list(
    guide: GuideCard,
    asked: Asked,
    rows: Stretch[Row],
    *,
    what: Any,
    name: str,
    is_store: bool,
    rows_template: str,
) -> NumberList[Row]:
    """`what` is counted; `name` ends the address of her list, "store-" before it that of her store's."""
    words = {"what": what}
    return NumberList(
        shell=Shell.around("performance", guide.id),
        title=_("本店的%(what)s") % words if is_store else _("我的%(what)s") % words,
        store_name=guide.store.name if is_store else "",
        periods=period_links(asked, f"assistant:performance-{'store-' if is_store else ''}{name}"),
        list=rows,
        rows_template=rows_template,
    )
