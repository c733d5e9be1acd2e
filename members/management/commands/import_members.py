"""`manage.py import_members FILE`: the import desk for a terminal."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser

from core.actor import Actor
from core.errors import Refusal
from core.workbooks import write_csv, write_rows
from members import selectors, services
from members.contracts import ImportCard
from members.models import ImportJob
from members.services.import_files import bad_rows

_REFUSED: Final = 2
_INTERRUPTED: Final = 130


class Command(BaseCommand):
    help = (
        "Import members from a CSV or XLSX file. Exit status: 0 all rows dealt with, 1 some lines were bad or wait for "
        "a person, 2 refused, 130 interrupted (go on with --resume)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="the file; not with --resume")
        parser.add_argument(
            "--mapping", help='a JSON file: {"columns": {"手机号": "phone", …}, "newer_wins": false, …}'
        )
        parser.add_argument("--dry-run", action="store_true", help="check and count only")
        parser.add_argument("--errors", help="write the bad rows with their reasons here (.csv or .xlsx)")
        parser.add_argument(
            "--resume", type=int, metavar="ID", help="go on with an import that was interrupted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """See `help`."""
        if bool(options["file"]) == bool(options["resume"]):
            self._end("name either a file or --resume ID", _REFUSED)
        actor = Actor.system("import_members")
        try:
            job_id = options["resume"] or self._check(options, actor)
            card = selectors.get_import_card(job_id)
            if card.state == "checking":
                card = self._work(job_id)
            if not options["dry_run"] and card.state in {"checked", "paused"}:
                run = services.start_import if card.state == "checked" else services.resume_import
                run(job_id=job_id, actor=actor)
            card = self._work(job_id)
            if options["errors"]:
                self._write_errors(job_id, Path(options["errors"]))
        except Refusal as refusal:
            self._end(f"{refusal.code}: {refusal.message}", _REFUSED)
        except KeyboardInterrupt:
            self._end("interrupted; --resume with the id above goes on", _INTERRUPTED)
        self._tell(card)

    def _check(self, options: dict[str, Any], actor: Actor) -> int:
        path = Path(options["file"])
        try:
            with path.open("rb") as stream:
                job_id = services.upload_import(stream=stream, file_name=path.name, actor=actor)
            mapping = self._mapping(ImportJob.objects.get(pk=job_id), options["mapping"])
        except (OSError, ValueError) as error:
            self._end(str(error), _REFUSED)
        self.stderr.write(f"import {job_id}")
        services.map_import(job_id=job_id, mapping=mapping, actor=actor)
        return job_id

    def _mapping(self, job: ImportJob, path: str | None) -> dict[str, Any]:
        """The mapping of the file, whose columns are named by their headings; without one, what is remembered."""
        if path is None:
            return dict(job.mapping)
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        places = {heading: str(place) for place, heading in enumerate(job.headings)}
        unknown = [heading for heading in told.get("columns", {}) if heading not in places]
        if unknown:
            raise ValueError(f"no such heading in the file: {', '.join(unknown)}")
        return {**told, "columns": {places[heading]: target for heading, target in told["columns"].items()}}

    def _work(self, job_id: int) -> ImportCard:
        """Work until nothing is to be done; wait when another worker has the job."""
        while True:
            state = services.work_import(job_id, tell=self._progress)
            card = selectors.get_import_card(job_id)
            if card.state not in {"checking", "running"}:
                return card
            if state is None:
                self._progress(job_id)
                time.sleep(2)

    def _progress(self, job_id: int) -> None:
        card = selectors.get_import_card(job_id)
        left = "" if card.seconds_left is None else f", {card.seconds_left} s left"
        rows = (
            f"{card.done_count:,}/{card.total_count:,}"
            if card.state == "running"
            else f"{card.total_count:,}"
        )
        self.stderr.write(
            f"{card.state} {rows} rows, {card.bad_count:,} bad, {card.rate:,.0f} a second{left}"
        )

    def _write_errors(self, job_id: int, path: Path) -> None:
        rows = bad_rows(ImportJob.objects.get(pk=job_id))
        with path.open("wb") as stream:
            if path.suffix.lower() == ".xlsx":
                write_rows(rows=rows, stream=stream, title="errors")
            else:
                write_csv(rows=rows, stream=stream)

    def _tell(self, card: ImportCard) -> None:
        told = card.expected if card.state == "checked" else card.counts
        self.stdout.write(
            f"{card.state}: {told.created:,} created, {told.filled:,} filled, {told.unchanged:,} unchanged, "
            f"{told.repeated:,} repeated, {told.candidates:,} to be decided, {told.known:,} known, "
            f"{card.bad_count:,} bad"
        )
        if card.state == "failed":
            self._end(card.failure, _REFUSED)
        if card.bad_count or told.candidates:
            sys.exit(1)

    def _end(self, words: str, status: int) -> Any:
        self.stderr.write(words)
        sys.exit(status)
