"""`manage.py reindex`: makes the fingerprints of phones and names anew with the first key of INDEX_KEY."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from coupons import selectors as coupon_selectors
from guides import services as guide_services
from members import services as member_services
from members.services.reindexing import Reindexed, Report

_PARTS: dict[str, Callable[..., Reindexed]] = {
    "phones": member_services.reindex_phones,
    "names": member_services.reindex_names,
    "remarks": guide_services.reindex_remarks,
}


class Command(BaseCommand):
    help = "Make the fingerprints of phones and names anew with the first key of INDEX_KEY. May be run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="only count what is under an older key")
        parser.add_argument("--limit-s", type=float, help="stop each part after so many seconds")

    def handle(self, *args: Any, **options: Any) -> None:
        is_finished = options["check"] or self._run(options["limit_s"])
        older = member_services.count_older_phones()
        self.stdout.write(f"{older:,} phones are not under the first key")
        # Their codes cannot be read, so nothing makes them anew: they are waited for, or made void.
        sets = coupon_selectors.count_older_exchange_sets()
        self.stdout.write(f"{sets:,} open sets of exchange codes are not under the first key")
        if older or sets or not is_finished:
            self.stdout.write("the older keys of INDEX_KEY are still needed")
            sys.exit(1)

    def _run(self, limit_s: float | None) -> bool:
        is_finished = True
        for name, part in _PARTS.items():
            run = part(limit_s=limit_s, report=self._reporter(name))
            self.stdout.write(f"{name}: {run.done_count:,} made anew")
            if run.stuck_count:
                self.stdout.write(f"{name}: {run.stuck_count:,} belong to no phone we keep, or are taken")
            is_finished = is_finished and run.is_finished
        return is_finished

    def _reporter(self, name: str) -> Report:
        return lambda count: self.stdout.write(f"{name}: {count:,} …")
