"""The member 360 page: queries and median time of each tab, against a bare Django view with one query.

In one process, through Django's whole request path (middlewares, URLs, templates), beside as many other members as
BENCH_MEMBERS_COUNT says; the page's member has something in every tab. No socket: what a network adds is the same for
both.
"""

import json
import os
import statistics
import subprocess
import sys
from typing import Any, Final

from bench.figures import ROOT, Figure, Report, spread
from bench.servers import temporary_home
from core import embedded

MEMBERS: Final = int(os.environ.get("BENCH_MEMBERS_COUNT") or 50_000)
BUDGET: Final = 12


def bench() -> Report:
    """Fill, then load every tab in turns with the floor. Raises RuntimeError when a page did not answer 200."""
    with temporary_home() as home:
        engines = embedded.start(home / "engines")
        (home / "static").mkdir()
        environment = {
            **os.environ,
            **engines.environment(),
            "DJANGO_SETTINGS_MODULE": "bench.mini_profile_settings",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
            "STATIC_ROOT": str(home / "static"),
            "MEDIA_ROOT": str(home / "media"),
        }
        _run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], environment)
        told = json.loads(
            _run([sys.executable, "-m", "bench.member_360_visits", str(MEMBERS)], environment).splitlines()[
                -1
            ]
        )
    return _report(told)


def _report(told: dict[str, Any]) -> Report:
    floor: list[float] = told["floor"]
    figures: list[Figure] = []
    for tab, visit in told["tabs"].items():
        pairs = zip(visit["ms"], floor, strict=True)
        figures.append(
            Figure(
                f"member 360, {tab}: ms",
                spread(floor, 1),
                spread(visit["ms"], 1),
                statistics.median(mine / theirs for mine, theirs in pairs),
            )
        )
        figures.append(
            Figure(
                f"member 360, {tab}: queries",
                "1",
                str(visit["queries"]),
                target=f"≤ {BUDGET}",
                is_met=visit["queries"] <= BUDGET,
            )
        )
    return Report(tuple(figures), (f"{MEMBERS:,} members, {len(floor)} visits of each tab, in turns",), told)


def _run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[:3]} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout.strip()
