"""What an act asks to be told, besides the sorts of values that conditions have."""

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from django.utils.functional import Promise

from campaigns.contracts.acts import PLACEHOLDERS
from core.remembered import remembered
from members.selectors.conditions import BadValue, Parameter

Text = str | Promise
PLACE: Final = re.compile(r"\{([a-z_]{1,20})\}")
_PAGE: Final = re.compile(r"[A-Za-z0-9_\-]+(/[A-Za-z0-9_\-]+)*(\?[A-Za-z0-9_\-=&%.]*)?")
_LONGEST_KEY: Final = 64
_JOINER: Final = "\u200d"  # between the parts of an emoji


@dataclasses.dataclass(frozen=True, slots=True)
class Words(Parameter):
    """A text with placeholders; a line when `is_line`."""

    most: int = 1_000
    is_line: bool = False
    may_place: bool = True
    sort: ClassVar[str] = "words"

    def read(self, value: Any) -> str:
        code = "line_unusable" if self.is_line else "words_unusable"
        if not isinstance(value, str):
            raise BadValue(code, most=self.most)
        text = value.strip()
        usable = all(
            sign.isprintable() or sign == _JOINER or (sign == "\n" and not self.is_line) for sign in text
        )
        if not usable or not 0 < len(text) <= self.most:
            raise BadValue(code, most=self.most)
        for name in PLACE.findall(text) if self.may_place else ():
            if name not in PLACEHOLDERS:
                raise BadValue("unknown_placeholder", name=name)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": 1, "maxLength": self.most}

    def words(self, value: Any) -> str:
        return str(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Page(Parameter):
    """A page of the mini-program."""

    most: int = 200
    sort: ClassVar[str] = "page"

    def read(self, value: Any) -> str:
        if not isinstance(value, str) or len(value) > self.most or not _PAGE.fullmatch(value):
            raise BadValue("page_unusable")
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": self.most, "pattern": f"^{_PAGE.pattern}$"}

    def words(self, value: Any) -> str:
        return str(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Pick(Parameter):
    """One of what there is, by its key."""

    names: Callable[[Collection[Any]], Mapping[Any, Text]] = dict
    options: Callable[[], Sequence[tuple[Any, Text]]] = tuple
    key: type[int] | type[str] = str
    sort: ClassVar[str] = "pick"

    def read(self, value: Any) -> Any:
        if self.key is int:
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
                raise BadValue("not_a_number")
        elif not isinstance(value, str) or not 0 < len(value) <= _LONGEST_KEY or not value.isprintable():
            raise BadValue("not_a_text")
        if value not in remembered(self.names, (value,)):
            raise BadValue("unknown_row", key=str(value))
        return value

    def schema(self) -> dict[str, Any]:
        if self.key is int:
            return {"type": "integer", "minimum": 0}
        return {"type": "string", "minLength": 1, "maxLength": _LONGEST_KEY}

    def words(self, value: Any) -> str:
        return str(remembered(self.names, (value,)).get(value, value))
