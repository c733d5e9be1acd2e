"""The import desk for a terminal or cron: what the command of every sort of import has in common."""

import abc
import json
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from core.actor import Actor
from core.errors import Refusal
from core.imports.contracts import FileCard
from core.imports.life import ImportLife
from core.imports.models import AbstractImportJob
from core.imports.reading import bad_rows
from core.imports.running import ImportWorker
from core.workbooks import write_csv, write_rows

_REFUSED: Final = 2
_INTERRUPTED: Final = 130
_PAUSE_S: Final = 2


class ImportCommand(BaseCommand, abc.ABC):
    """Upload, map, check and run, or go on with --resume. Exit status: 0 all dealt with, 1 something is left to look
    at, 2 refused, 130 interrupted."""

    life: ClassVar[ImportLife[Any, Any]]
    worker: ClassVar[ImportWorker[Any, Any]]
    mapping_help: ClassVar[str]

    @abc.abstractmethod
    def card(self, job_id: int) -> FileCard[Any]:
        """How the import stands. Raises the sort's `no_such`."""

    @abc.abstractmethod
    def progress_words(self, card: Any) -> str:
        """One line of progress."""

    @abc.abstractmethod
    def outcome(self, card: Any, told: Any) -> tuple[str, bool]:
        """What came of it, or would, in words; whether somebody should look."""

    def upload(self, path: Path, options: dict[str, Any], actor: Actor) -> int:
        """The file is uploaded; the job's id."""
        with path.open("rb") as stream:
            return self.life.upload(stream=stream, file_name=path.name, actor=actor)

    def find_fault(self, options: dict[str, Any]) -> str:
        """What is wrong with the options, or nothing."""
        return "name either a file or --resume ID" if bool(options["file"]) == bool(options["resume"]) else ""

    def choose(self, mapping: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """The mapping with what the options say."""
        return mapping

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="the file; not with --resume")
        parser.add_argument("--mapping", help=self.mapping_help)
        parser.add_argument("--dry-run", action="store_true", help="check and count only")
        parser.add_argument("--errors", help="write the bad rows with their reasons here (.csv or .xlsx)")
        parser.add_argument(
            "--resume", type=int, metavar="ID", help="go on with an import that was interrupted"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """See `help`."""
        if fault := self.find_fault(options):
            self._end(fault, _REFUSED)
        actor = Actor.system(self.life.sort.doer)
        try:
            job_id = options["resume"] or self._begin(options, actor)
            card = self._work(job_id)
            if not options["dry_run"] and card.state in {"checked", "paused"}:
                run = self.life.start if card.state == "checked" else self.life.resume
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
        try:
            job_id = self.upload(Path(options["file"]), options, actor)
            mapping = _mapping_of(self._job(job_id), options["mapping"])
        except (OSError, ValueError) as error:
            self._end(str(error), _REFUSED)
        self.stderr.write(f"import {job_id}")
        self.life.map(job_id=job_id, mapping=self.choose(mapping, options), actor=actor)
        return job_id

    def _job(self, job_id: int) -> AbstractImportJob:
        job: AbstractImportJob = self.life.sort.jobs().get(pk=job_id)
        return job

    def _work(self, job_id: int) -> FileCard[Any]:
        """Work until nothing is to be done; wait when another worker has the job."""
        while True:
            state = self.worker.work(job_id, tell=self._progress)
            card = self.card(job_id)
            if card.state not in {"checking", "running"}:
                return card
            if state is None:
                self._progress(job_id)
                time.sleep(_PAUSE_S)

    def _progress(self, job_id: int) -> None:
        self.stderr.write(self.progress_words(self.card(job_id)))

    def _write_errors(self, job_id: int, path: Path) -> None:
        rows = bad_rows(self.life.sort, self._job(job_id))
        with path.open("wb") as stream:
            if path.suffix.lower() == ".xlsx":
                write_rows(rows=rows, stream=stream, title="errors")
            else:
                write_csv(rows=rows, stream=stream)

    def _tell(self, card: FileCard[Any]) -> None:
        words, is_left = self.outcome(card, card.expected if card.state == "checked" else card.counts)
        self.stdout.write(f"{card.state}: {words}")
        if card.state == "failed":
            self._end(card.failure, _REFUSED)
        if is_left:
            sys.exit(1)

    def _end(self, words: str, status: int) -> NoReturn:
        self.stderr.write(words)
        sys.exit(status)


def time_words(card: FileCard[Any]) -> str:
    """The rate and the time left, as a line of progress ends."""
    left = "" if card.seconds_left is None else f", {card.seconds_left} s left"
    return f"{card.rate:,.0f} a second{left}"


def _mapping_of(job: AbstractImportJob, path: str | None) -> dict[str, Any]:
    """The mapping of the file, whose columns are named by their headings; without one, what is remembered."""
    if path is None:
        return dict(job.mapping)
    told = json.loads(Path(path).read_text(encoding="utf-8"))
    places = {heading: str(place) for place, heading in enumerate(job.headings)}
    unknown = [heading for heading in told.get("columns", {}) if heading not in places]
    if unknown:
        raise ValueError(f"no such heading in the file: {', '.join(unknown)}")
    return {**told, "columns": {places[heading]: target for heading, target in told["columns"].items()}}
