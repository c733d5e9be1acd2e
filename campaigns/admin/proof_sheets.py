"""A report and a table of campaigns as sheets, and as lines of a CSV."""

import datetime as dt
import io
from collections.abc import Sequence
from typing import Any, Final

from django.http import FileResponse
from django.utils.translation import gettext as _

from campaigns.admin.proof_columns import COLUMNS, line_value, rates_of
from campaigns.admin.proof_words import (
    LEAGUE_COLUMNS,
    cell,
    finding_words,
    league_value,
    money_sentence_of,
    sentence_of,
    steps_of,
)
from campaigns.contracts.proof import LeagueLine, LeagueSum, ProofLine, ProofReport
from campaigns.models import CampaignGoal, CampaignKind
from core import clock
from core.workbooks import Kind, Sheet, safe_cells, write_csv

_KINDS: Final[dict[str, Kind]] = {
    "count": "count", "share": "share", "fen": "fen", "times": "times", "text": "text",
}  # fmt: skip


def report_sheets(report: ProofReport, tables: Sequence[tuple[str, Sequence[ProofLine]]]) -> list[Sheet]:
    """What may be said, the steps, day by day, and a sheet for each dimension: (its name, its lines)."""
    said = [
        [_("活动"), report.campaign_name],
        [_("结论"), sentence_of(report.uplift, report.goal, report.ends_at)],
        [_("钱"), money_sentence_of(report.uplift, report.treated.cost_fen)],
        *([str(step["words"]), f"{step['count']}（{step['share']}）"] for step in steps_of(report)),
        *(
            [str(words), _("活动组 %(a)s；对照组 %(b)s；%(told)s") % {"a": treated, "b": control, "told": told}]
            for words, treated, control, told, _tone in rates_of(report)
        ),
    ]  # fmt: skip
    sheets = [Sheet(_("结论"), [(_("项目"), "text"), (_("内容"), "text")], _safe(said))]
    sheets += [
        Sheet(
            _("按%(by)s") % {"by": name},
            [(name, "text"), *((str(words), _KINDS[kind]) for _name, words, kind in COLUMNS)],
            (
                [*safe_cells([line.label]), *(line_value(line, column) for column, _words, _kind in COLUMNS)]
                for line in lines
            ),
        )
        for name, lines in tables
    ]
    heads: list[tuple[str, Kind]] = [
        (_("开始后第几天"), "count"), (_("活动组累计达成"), "count"), (_("对照组累计达成"), "count"),
    ]  # fmt: skip
    return [*sheets, Sheet(_("每天"), heads, ([day.day, day.treated, day.control] for day in report.days))]


def league_sheet(lines: Sequence[LeagueLine], whole: LeagueSum) -> Sheet:
    """One line a campaign; the last says what they brought together."""
    heads: list[tuple[str, Kind]] = [
        (_("活动"), "text"), (_("谁的"), "text"), (_("类型"), "text"), (_("目标"), "text"), (_("执行次数"), "count"),
        (_("结论"), "text"), *((str(words), _KINDS[kind]) for _name, words, kind in LEAGUE_COLUMNS),
    ]  # fmt: skip
    amount = [name for name, _words, _kind in LEAGUE_COLUMNS].index("amount")
    together: list[Any] = [None] * len(LEAGUE_COLUMNS)
    together[amount] = whole.amount_fen
    rows = [
        [
            *safe_cells([line.name, line.owner]), str(CampaignKind(line.kind).label), str(CampaignGoal(line.goal).label),
            line.run_count, str(finding_words(line.uplift)),
            *(league_value(line, name) for name, _words, _kind in LEAGUE_COLUMNS),
        ]
        for line in lines
    ]  # fmt: skip
    return Sheet(
        _("活动排行"),
        heads,
        [*rows, [_("合在一起（每笔只算一次）"), None, None, None, None, None, *together]],
    )


def csv_answer(*, name: str, sheet: Sheet) -> FileResponse:
    """The sheet as CSV, its values as people read them."""
    stream = io.BytesIO()
    kinds = [kind for _text, kind in sheet.heads]
    rows = [[text for text, _kind in sheet.heads]]
    rows += [
        ["" if value is None else _text(value, kind) for value, kind in zip(row, kinds, strict=True)]
        for row in sheet.rows
    ]
    write_csv(rows=iter(rows), stream=stream)
    stream.seek(0)
    return FileResponse(
        stream, as_attachment=True, filename=f"{name}.csv", content_type="text/csv; charset=utf-8"
    )


def stamp() -> str:
    """For names of files."""
    return f"{clock.today():%Y%m%d}"


def _text(value: Any, kind: str) -> str:
    if isinstance(value, str | dt.date):
        return str(value)
    return cell(value, kind).replace(",", "")


def _safe(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [safe_cells(row) for row in rows]
