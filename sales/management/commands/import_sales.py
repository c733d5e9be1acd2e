"""`manage.py import_sales FILE --source CODE`: the nightly file of orders or returns, from a terminal or cron."""

import json
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from core.actor import Actor
from core.errors import Refusal
from core.workbooks import write_csv, write_rows
from sales import services
from sales.contracts import IntakeCard
from sales.models import IntakeJob, IntakeKind
from sales.selectors.imports import get_intake_card
from sales.services.import_files import bad_rows

_REFUSED: Final = 2
_INTERRUPTED: Final = 130
_PAUSE_S: Final = 2


class Command(BaseCommand):
    help = (
        "Import orders (or, with --returns, returns) from a CSV or XLSX file, one row a line of goods; docs/sales-files.md. "
        "Safe to kill and to run again. Exit status: 0 all documents dealt with, 1 some lines were bad or documents are "
        "held, 2 refused, 130 interrupted (go on with --resume)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="the file; not with --resume")
        parser.add_argument("--source", help="the code of the system whose numbers these are")
        parser.add_argument("--returns", action="store_true", help="the file holds returns")
        parser.add_argument("--channel", help="the channel of orders where no column says it")
        parser.add_argument(
            "--mapping", help='a JSON file: {"columns": {"小票号": "order_no", …}, "channel": "store", …}'
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
        if options["file"] and not options["source"]:
            self._end("name the source of the file with --source", _REFUSED)
        actor = Actor.system("import_sales")
        try:
            job_id = options["resume"] or self._begin(options, actor)
            card = self._work(job_id)
            if not options["dry_run"] and card.state in {"checked", "paused"}:
                run = services.start_intake if card.state == "checked" else services.resume_intake
                run(job_id=job_id, actor=actor)
                card = self._work(job_id)
            if options["errors"]:
                self._write_errors(job_id, Path(options["errors"]))
        except Refusal as refusal:
            self._end(f"{refusal.code}: {refusal.message}", _REFUSED)
        except KeyboardInterrupt:
            self._end("interrupted; --resume with the id above goes on", _INTERRUPTED)
        self._tell(card)

    def _begin(self, options: dict[str, Any], actor: Actor) -> int:
        path = Path(options["file"])
        kind = IntakeKind.RETURN if options["returns"] else IntakeKind.ORDER
        try:
            with path.open("rb") as stream:
                job_id = services.upload_intake(
                    stream=stream, file_name=path.name, kind=kind, source=options["source"], actor=actor
                )
            mapping = self._mapping(IntakeJob.objects.get(pk=job_id), options["mapping"])
        except (OSError, ValueError) as error:
            self._end(str(error), _REFUSED)
        if options["channel"]:
            mapping["channel"] = options["channel"]
        self.stderr.write(f"import {job_id}")
        services.map_intake(job_id=job_id, mapping=mapping, actor=actor)
        return job_id

    def _mapping(self, job: IntakeJob, path: str | None) -> dict[str, Any]:
        """The mapping of the file, whose columns are named by their headings; without one, what is remembered."""
        if path is None:
            return dict(job.mapping)
        told = json.loads(Path(path).read_text(encoding="utf-8"))
        places = {heading: str(place) for place, heading in enumerate(job.headings)}
        unknown = [heading for heading in told.get("columns", {}) if heading not in places]
        if unknown:
            raise ValueError(f"no such heading in the file: {', '.join(unknown)}")
        return {**told, "columns": {places[heading]: target for heading, target in told["columns"].items()}}

    def _work(self, job_id: int) -> IntakeCard:
        """Work until nothing is to be done; wait when another worker has the job."""
        while True:
            state = services.work_intake(job_id, tell=self._progress)
            card = get_intake_card(job_id)
            if card.state not in {"checking", "running"}:
                return card
            if state is None:
                self._progress(job_id)
                time.sleep(_PAUSE_S)

    def _progress(self, job_id: int) -> None:
        card = get_intake_card(job_id)
        if card.state == "checking":
            self.stderr.write(
                f"checking {card.row_count:,} rows, {card.total_count:,} documents, {card.bad_count:,} bad rows"
            )
            return
        left = "" if card.seconds_left is None else f", {card.seconds_left} s left"
        self.stderr.write(
            f"{card.state} {card.done_count:,}/{card.total_count:,} documents, {card.rate:,.0f} a second{left}"
        )

    def _write_errors(self, job_id: int, path: Path) -> None:
        rows = bad_rows(IntakeJob.objects.get(pk=job_id))
        with path.open("wb") as stream:
            if path.suffix.lower() == ".xlsx":
                write_rows(rows=rows, stream=stream, title="errors")
            else:
                write_csv(rows=rows, stream=stream)

    def _tell(self, card: IntakeCard) -> None:
        told = card.expected if card.state == "checked" else card.counts
        self.stdout.write(
            f"{card.state}: {told.booked:,} booked, {told.corrected:,} corrected, {told.repeated:,} repeated, "
            f"{told.superseded:,} superseded, {told.held:,} held, {told.refused:,} refused, {card.bad_count:,} bad rows"
        )
        if card.state == "failed":
            self._end(card.failure, _REFUSED)
        if card.bad_count or told.held or told.refused:
            sys.exit(1)

    def _end(self, words: str, status: int) -> NoReturn:
        self.stderr.write(words)
        sys.exit(status)
