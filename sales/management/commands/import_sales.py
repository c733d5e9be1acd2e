"""`manage.py import_sales FILE --source CODE`: the nightly file of orders or returns, from a terminal or cron."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.actor import Actor
from core.imports.command import ImportCommand, time_words
from sales import services
from sales.contracts import IntakeCard, IntakeCounts
from sales.models import IntakeKind
from sales.selectors.imports import get_intake_card
from sales.services.import_jobs import INTAKE_LIFE, INTAKE_WORKER


class Command(ImportCommand):
    help = (
        "Import orders (or, with --returns, returns) from a CSV or XLSX file, one row a line of goods, or from JSON lines "
        "(.jsonl), one document a line; docs/sales-files.md. "
        "Safe to kill and to run again. Exit status: 0 all documents dealt with, 1 some lines were bad or documents are "
        "held, 2 refused, 130 interrupted (go on with --resume)."
    )
    life = INTAKE_LIFE
    worker = INTAKE_WORKER
    mapping_help = 'a JSON file: {"columns": {"小票号": "order_no", …}, "channel": "store", …}'

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--source", help="the code of the system whose numbers these are")
        parser.add_argument("--returns", action="store_true", help="the file holds returns")
        parser.add_argument("--channel", help="the channel of orders where no column says it")

    def find_fault(self, options: dict[str, Any]) -> str:
        fault = super().find_fault(options)
        if not fault and options["file"] and not options["source"]:
            fault = "name the source of the file with --source"
        return fault

    def upload(self, path: Path, options: dict[str, Any], actor: Actor) -> int:
        kind = IntakeKind.RETURN if options["returns"] else IntakeKind.ORDER
        with path.open("rb") as stream:
            return services.upload_intake(
                stream=stream, file_name=path.name, kind=kind, source=options["source"], actor=actor
            )

    def choose(self, mapping: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        return {**mapping, "channel": options["channel"]} if options["channel"] else mapping

    def card(self, job_id: int) -> IntakeCard:
        return get_intake_card(job_id)

    def progress_words(self, card: IntakeCard) -> str:
        total = f"{card.total_count:,}"
        if card.state == "checking":
            return f"checking {card.row_count:,} rows, {total} documents, {card.bad_count:,} bad rows"
        return f"{card.state} {card.done_count:,}/{total} documents, {time_words(card)}"

    def outcome(self, card: IntakeCard, told: IntakeCounts) -> tuple[str, bool]:
        words = (
            f"{told.booked:,} booked, {told.corrected:,} corrected, {told.repeated:,} repeated, "
            f"{told.superseded:,} superseded, {told.held:,} held, {told.refused:,} refused, {card.bad_count:,} bad rows"
        )
        return words, bool(card.bad_count or told.held or told.refused)
