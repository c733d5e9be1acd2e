"""`manage.py import_members FILE`: the import desk for a terminal."""

from core.imports.command import ImportCommand, time_words
from members import selectors
from members.contracts import ImportCard, ImportCounts
from members.services.import_jobs import IMPORT_LIFE, IMPORT_WORKER


class Command(ImportCommand):
    help = (
        "Import members from a CSV or XLSX file. Exit status: 0 all rows dealt with, 1 some lines were bad or wait for "
        "a person, 2 refused, 130 interrupted (go on with --resume)."
    )
    life = IMPORT_LIFE
    worker = IMPORT_WORKER
    mapping_help = 'a JSON file: {"columns": {"手机号": "phone", …}, "newer_wins": false, …}'

    def card(self, job_id: int) -> ImportCard:
        return selectors.get_import_card(job_id)

    def progress_words(self, card: ImportCard) -> str:
        total = f"{card.total_count:,}"
        rows = f"{card.done_count:,}/{total}" if card.state == "running" else total
        return f"{card.state} {rows} rows, {card.bad_count:,} bad, {time_words(card)}"

    def outcome(self, card: ImportCard, told: ImportCounts) -> tuple[str, bool]:
        words = (
            f"{told.created:,} created, {told.filled:,} filled, {told.unchanged:,} unchanged, "
            f"{told.repeated:,} repeated, {told.candidates:,} to be decided, {told.known:,} known, "
            f"{card.bad_count:,} bad"
        )
        return words, bool(card.bad_count or told.candidates)
