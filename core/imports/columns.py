"""Which column of a file means what: guessed by its heading, chosen by a person, checked."""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core import crypto
from core.errors import InvalidInput

_SIGNS: Final = re.compile(r"[\W_]+")
_REMARKS: Final = re.compile(r"\((?:必填|选填|可选|required|optional|[0-9]+)\)")


def heading_word(heading: str) -> str:
    """A heading as it is compared: 手机号（必填） and "Phone Number *" are 手机号 and phonenumber."""
    folded = unicodedata.normalize("NFKC", heading).lower()
    return _SIGNS.sub("", _REMARKS.sub("", folded))


def headings_digest(headings: Sequence[str]) -> str:
    """Equal for the same headings in the same order, whatever their blanks and case."""
    return crypto.digest("\n".join(heading_word(heading) for heading in headings))


def by_word(synonyms: Mapping[str, str]) -> dict[str, str]:
    """The target that each word means, of blank-separated words by their target."""
    return {heading_word(word): target for target, words in synonyms.items() for word in words.split()}


def guess_columns(
    headings: Sequence[str],
    *,
    words: Mapping[str, str],
    targets: Container[str],
    may_repeat: Container[str] = (),
) -> dict[str, str]:
    """What each heading most likely means, by its place; those that are not clear are left out, and no single target
    stands twice."""
    guessed: dict[str, str] = {}
    for place, heading in enumerate(headings):
        target = words.get(heading_word(heading), "")
        if target in targets and (target not in guessed.values() or target in may_repeat):
            guessed[str(place)] = target
    return guessed


def usable_columns(
    mapping: Mapping[str, Any],
    *,
    width: int,
    targets: Mapping[str, str | Promise],
    refusal: type[InvalidInput],
    may_repeat: Container[str] = (),
) -> dict[str, tuple[int, ...]]:
    """The columns of each target, in a file of `width` columns. Raises the refusal for a column or target that does
    not exist, and for a target twice."""
    columns: dict[str, list[int]] = {}
    for place, target in dict(mapping.get("columns") or {}).items():
        if not target:
            continue
        if target not in targets or not str(place).isdecimal() or int(place) >= width:
            raise refusal(field="columns")
        columns.setdefault(target, []).append(int(place))
    for target, places in columns.items():
        if len(places) > 1 and target not in may_repeat:
            raise refusal(
                _("“%(target)s”对应了两列，请只留一列") % {"target": targets[target]}, field="columns"
            )
    return {target: tuple(sorted(places)) for target, places in columns.items()}
