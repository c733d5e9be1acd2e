"""Single files of front-end packages.

Some packages ship one file that is wanted among fifty megabytes that are not: `settings.PACKAGE_FILES` names the files
and the addresses they get, and nothing else is collected, hashed and compressed.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage


class PackageFiles(BaseFinder):
    """Finds what PACKAGE_FILES names; a package that is not installed has nothing."""

    def check(self, **_kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **_kwargs: Any) -> Any:
        """Django's protocol: one path, or a list with `find_all`; empty when the file is not ours."""
        source = settings.PACKAGE_FILES.get(path)
        found = [str(source)] if source is not None and source.is_file() else []
        if find_all:
            return found
        return found[0] if found else []

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Any]]:
        for address, source in settings.PACKAGE_FILES.items():
            place = Path(address)
            if source.is_file() and not matches_patterns(address, list_of(ignore_patterns)):
                storage: Any = FileSystemStorage(location=source.parent)
                storage.prefix = str(place.parent)
                yield source.name, storage


def list_of(patterns: Iterable[str] | None) -> list[str]:
    """The patterns, also when there are none."""
    return [] if patterns is None else [*patterns]
