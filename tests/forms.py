"""What a browser sends of a page's form when nobody touched it."""

from html.parser import HTMLParser

_UNSENT = {"submit", "button", "image", "reset", "file"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._depth = 0
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._many = False
        self._text: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._depth += int(self._depth > 0 or (given.get("method") or "").lower() == "post")
        if not self._depth or "form" in given or "disabled" in given:
            return
        name = given.get("name") or ""
        if tag == "select":
            self._select, self._options, self._many = name, [], "multiple" in given
        elif tag == "option" and self._select is not None:
            self._options.append((given.get("value") or "", "selected" in given))
        elif tag == "textarea":
            self._text = (name, [])
        elif tag == "input" and name and given.get("type", "text") not in _UNSENT:
            is_tick = given.get("type") in {"checkbox", "radio"}
            if not is_tick or "checked" in given:
                self._add(name, given.get("value") or ("on" if is_tick else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._depth:
            self._depth -= 1
        elif tag == "select" and self._select is not None:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            if not chosen and not self._many:
                chosen = [value for value, _is_chosen in self._options[:1]]
            for value in chosen:
                self._add(self._select, value)
            self._select = None
        elif tag == "textarea" and self._text is not None:
            name, parts = self._text
            text = "".join(parts).removeprefix("\n")
            self._add(name, text.replace("\r\n", "\n").replace("\n", "\r\n"))
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text[1].append(data)

    def _add(self, name: str, value: str) -> None:
        if name:
            self.sent.setdefault(name, []).append(value)


def sent_by(html: str, *, having: str) -> dict[str, list[str]]:
    """The fields of the form that has a field of this name."""
    for part in html.split("<form ")[1:]:
        reader = _Reader()
        reader.feed("<form " + part.partition("</form>")[0] + "</form>")
        if having in reader.sent:
            return reader.sent
    raise AssertionError(f"no form with {having}")
