"""`manage.py reseal`: brings every sealed text under the first of FIELD_KEYS."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import resealing


class Command(BaseCommand):
    help = "Seal phones, names, secrets … anew with the first of FIELD_KEYS. May be stopped and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only count the texts of each key")
        parser.add_argument("--limit-s", type=float, help="stop after so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self._run(options["limit_s"])
        self._tell_counts()

    def _run(self, limit_s: float | None) -> None:
        done: dict[str, int] = {}

        def report(label: str, count: int) -> None:
            done[label] = done.get(label, 0) + count
            self.stdout.write(f"{label}: {done[label]:,} sealed anew")

        run = resealing.reseal(limit_s=limit_s, report=report)
        self.stdout.write(f"{run.done_count:,} sealed anew")
        if run.unreadable_count:
            raise CommandError(
                f"{run.unreadable_count:,} texts are sealed with a key that is not in FIELD_KEYS, or are broken"
            )
        if not run.is_finished:
            self.stdout.write("the time is up; run it again")

    def _tell_counts(self) -> None:
        """One line for each column and key; the exit code is 1 while an old key is still needed."""
        counts = resealing.count_keys()
        for line in counts:
            mark = "" if line.is_current else "  (old)"
            self.stdout.write(f"{line.label}  key {line.key_id}: {line.count:,}{mark}")
        if any(not line.is_current for line in counts):
            self.stdout.write("old keys are still needed")
            sys.exit(1)
        self.stdout.write("every text is under the first key")
