"""Strict reading of settings from the environment: a sloppy value stops the start, it is never guessed."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_TRUE: Final = {"1", "true", "yes", "on"}
_FALSE: Final = {"0", "false", "no", "off"}


class BadSetting(ValueError):
    """A setting is missing or unreadable; the message names it and says what it takes."""


class Env:
    """Reads one mapping (normally `os.environ`); every reader names the setting in its complaint."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = os.environ if values is None else values

    def has(self, name: str) -> bool:
        return bool(self._values.get(name))

    def text(self, name: str, default: str | None = None) -> str:
        value = self._values.get(name)
        if value is None or value == "":
            if default is None:
                raise BadSetting(f"{name} is not set")
            return default
        return value

    def secret(self, name: str, default: str | None = None) -> str:
        """The value of NAME, or the content of the file that NAME_FILE points to."""
        path = self._values.get(f"{name}_FILE")
        if path:
            return Path(path).read_text(encoding="utf-8").strip()
        return self.text(name, default)

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, "").strip().lower()
        if not value:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise BadSetting(f"{name} takes true or false, not {value!r}")

    def whole(self, name: str, default: int) -> int:
        value = self._values.get(name, "").strip()
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise BadSetting(f"{name} takes a whole number, not {value!r}") from None

    def words(self, name: str, default: str = "") -> list[str]:
        """A comma-separated list; blanks around the commas do not count."""
        return [word.strip() for word in self._values.get(name, default).split(",") if word.strip()]
