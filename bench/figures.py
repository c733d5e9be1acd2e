"""What a bench reports, and the arithmetic behind it: medians, percentiles, spreads, one table."""

import dataclasses
import json
import os
import statistics
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
HEADINGS: Final = ("figure", "floor", "ours", "ratio", "target", "met")


@dataclasses.dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. Values are printed as they are; `ratio` is what the target is about.

    `is_met` is None for figures without a target: they are printed to be read, not judged.
    """

    name: str
    floor: str = "–"
    ours: str = "–"
    ratio: float | None = None
    target: str = "–"
    is_met: bool | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """What one bench found: the table's lines, and all that was measured, for var/bench/<name>.json."""

    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    measured: object = None

    def save(self, path: Path) -> None:
        """Write the report as JSON; the folder is made when it is not there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0–1) of the values do not exceed. Raises ValueError on none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)  # rounded up
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median, with the least and the greatest in brackets."""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({least:,.{digits}f}–{most:,.{digits}f})"


def ratios(floors: Sequence[float], ours: Sequence[float]) -> list[float]:
    """Floor over ours, round by round: what disturbed a round disturbed both of its halves."""
    return [floor / our for floor, our in zip(floors, ours, strict=True)]


def at_most(name: str, floor: str, ours: str, values: Sequence[float], limit: float) -> Figure:
    """A figure whose target is a median ratio of at most `limit`."""
    ratio = statistics.median(values)
    return Figure(name, floor, ours, ratio, f"≤ {limit:g}", ratio <= limit)


def processor_seconds(*pids: int) -> float:
    """What these processes have used so far, as Linux counts it."""
    ticks = 0
    for pid in pids:
        counted = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(counted[11]) + int(counted[12])  # in user mode and in the kernel
    return ticks / os.sysconf("SC_CLK_TCK")


def table(rows: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    verdict = {True: "yes", False: "NO", None: "–"}
    cells = [
        (
            row.name,
            row.floor,
            row.ours,
            "–" if row.ratio is None else f"{row.ratio:.2f}",
            row.target,
            verdict[row.is_met],
        )
        for row in rows
    ]
    widths = [max(_width(line[column]) for line in [HEADINGS, *cells]) for column in range(len(HEADINGS))]
    lines = [_line(HEADINGS, widths), "  ".join("-" * width for width in widths)]
    return "\n".join([*lines, *(_line(line, widths) for line in cells)])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
    ).rstrip()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
