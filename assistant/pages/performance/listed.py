"""The page of a list behind a number: of orders, of members, of coupons; and whose number it is."""

import dataclasses
from typing import Any, Final, Generic, TypeVar

from django.utils.translation import gettext as _

from assistant.pages.performance.asked import Asked, period_links
from assistant.pages.shell import Link, Shell, Stretch
from core.errors import NotFound
from guides import selectors as guide_selectors
from guides.contracts import GuideCard

Row = TypeVar("Row")
_STORE: Final = "store"


@dataclasses.dataclass(frozen=True, slots=True)
class Whose:
    """Whose numbers are shown: her own, those of the store she manages, or what one guide did in that store."""

    is_store: bool = False
    of: GuideCard | None = None

    @property
    def who(self) -> str:
        """How an address says it."""
        if self.of is not None:
            return self.of.public_id
        return _STORE if self.is_store else ""


def open_whose(guide: GuideCard, who: str) -> Whose:
    """What an address asks for. Raises NotFound for what only a manager may see, and as `open_seller` does."""
    if not who:
        return Whose()
    if guide.role != "manager":
        raise NotFound
    return Whose(is_store=True) if who == _STORE else open_seller(guide, who)


def open_seller(manager: GuideCard, public_id: str) -> Whose:
    """A guide of her store. Raises NotFound alike for one of other stores and for one there is not."""
    return Whose(is_store=True, of=guide_selectors.access_guide(manager_id=manager.id, public_id=public_id))


@dataclasses.dataclass(frozen=True, slots=True)
class NumberList(Generic[Row]):
    shell: Shell
    title: str
    store_name: str  # a manager's list
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
    whose: Whose,
    rows_template: str,
) -> NumberList[Row]:
    """`what` is counted; `name` ends the address of her list, "store-" or "guide-" before it that of a manager's."""
    words = {"what": what}
    if whose.of is not None:
        title = _("%(name)s的%(what)s") % {"name": whose.of.name, **words}
        periods = period_links(asked, f"assistant:performance-guide-{name}", whose.of.public_id)
    elif whose.is_store:
        title = _("本店的%(what)s") % words
        periods = period_links(asked, f"assistant:performance-store-{name}")
    else:
        title, periods = _("我的%(what)s") % words, period_links(asked, f"assistant:performance-{name}")
    return NumberList(
        shell=Shell.around("performance", guide.id),
        title=title,
        store_name=guide.store.name if whose.is_store else "",
        periods=periods,
        list=rows,
        rows_template=rows_template,
    )
