"""`make demo` from a clean clone until it prints its addresses, and warm, when all is installed and seeded.

The clean part (BENCH_FULL=1, or the bench named on the command line) clones what is committed and downloads every
package anew, without the caches of pip and npm: it takes minutes and depends on the network. Without it, the first
start is that of this checkout with an empty demo home. After every start Ctrl-C is sent, and nothing may be left: no
process, no port.
"""

import contextlib
import dataclasses
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from bench.figures import ROOT, Figure, Report
from bench.servers import temporary_home
from config.demo.processes import is_free
from tests.sandbox_process import free_port

CLEAN_TARGET_S: Final = 300.0
WARM_TARGET_S: Final = 15.0
_WARM_STARTS: Final = 3
_LIMIT_S: Final = 1200.0
_STOP_LIMIT_S: Final = 20.0
_UP: Final = "Xiaoer is up"
# What would make a clone behave like this checkout rather than like a fresh machine.
_OURS: Final = (
    "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL",
    "WEB_PORT", "SANDBOX_PORT", "DEMO_HOME", "STATIC_ROOT", "MEDIA_ROOT",
)  # fmt: skip


class DemoFailed(RuntimeError):
    """The demo did not come up, did not stop, or left something behind; the message says which."""


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds until the addresses were printed, seconds from Ctrl-C to the end, and its lines."""

    seconds: float
    stop_seconds: float
    lines: tuple[tuple[float, str], ...]


def bench() -> Report:
    """Start, stop and start again. Raises DemoFailed."""
    is_full = os.environ.get("BENCH_FULL") == "1"
    with temporary_home() as home:
        environment = _fresh_environment(home)
        if is_full:
            checkout, command = home / "clone", ["make", "demo"]
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True, env=environment)
        else:
            checkout, command = ROOT, [sys.executable, "-m", "config.demo"]
            environment["DEMO_HOME"] = str(home / "demo")
        first = start_and_stop(command, checkout, environment, home)
        warm = [start_and_stop(command, checkout, environment, home) for _number in range(_WARM_STARTS)]
    return _report(first, warm, is_full=is_full)


def _fresh_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OURS}
    return kept | {
        "WEB_PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "PIP_CACHE_DIR": str(home / "pip-cache"),
        "npm_config_cache": str(home / "npm-cache"),
        "PYTHONUNBUFFERED": "1",
    }


def start_and_stop(command: list[str], checkout: Path, environment: dict[str, str], home: Path) -> Start:
    """Run the demo until it is up, then Ctrl-C. Raises DemoFailed, also when anything is left behind."""
    began = time.monotonic()
    lines: list[tuple[float, str]] = []
    process = subprocess.Popen(
        command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        for line in _lines(process, began + _LIMIT_S):
            lines.append((round(time.monotonic() - began, 2), line))
            if line.startswith(_UP):
                break
        else:
            raise DemoFailed("the demo did not come up:\n" + "\n".join(line for _at, line in lines[-40:]))
        seconds = time.monotonic() - began
        stop_seconds = _interrupt(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _raise_if_left(environment, home)
    return Start(seconds, stop_seconds, tuple(lines))


def _lines(process: "subprocess.Popen[bytes]", deadline: float) -> Iterator[str]:
    """Output line by line until the end. Raises DemoFailed at the deadline."""
    assert process.stdout is not None
    number, rest = process.stdout.fileno(), b""
    while True:
        if not select.select([number], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise DemoFailed(f"the demo was not up after {_LIMIT_S:.0f} s; its last words: {rest!r}")
        part = os.read(number, 65536)
        if not part:
            return
        *whole, rest = (rest + part).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)


def _interrupt(process: "subprocess.Popen[bytes]") -> float:
    """Ctrl-C as a terminal sends it: to the whole foreground group."""
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.communicate(timeout=_STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise DemoFailed(f"the demo did not stop within {_STOP_LIMIT_S:.0f} s of Ctrl-C") from None
    return time.monotonic() - began


def _raise_if_left(environment: dict[str, str], home: Path) -> None:
    left = _processes_of(home)
    taken = [name for name in ("WEB_PORT", "SANDBOX_PORT") if not is_free(int(environment[name]))]
    if left or taken:
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        raise DemoFailed(
            f"left behind after Ctrl-C: {[' '.join(_command(p))[:120] for p in left]}, ports {taken}"
        )


def _processes_of(home: Path) -> list[psutil.Process]:
    """Processes that run from, or work in, the folder of this bench."""
    return [
        process
        for process in psutil.process_iter()
        if str(home) in " ".join([*_command(process), _folder(process)])
    ]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _folder(process: psutil.Process) -> str:
    try:
        return str(process.cwd())
    except psutil.Error:
        return ""


def _report(first: Start, warm: list[Start], *, is_full: bool) -> Report:
    ordered = sorted(start.seconds for start in warm)
    middle = ordered[len(ordered) // 2]
    if is_full:
        clean = Figure(
            "make demo, clean clone to healthy, s", "–", f"{first.seconds:.0f}", None, f"≤ {CLEAN_TARGET_S:g} s",
            first.seconds <= CLEAN_TARGET_S,
        )  # fmt: skip
        about_first = "clean: downloads from the registries included, caches of pip and npm empty"
    else:
        clean = Figure("make demo, clean clone to healthy, s", "–", "skipped: python -m bench demo_start")
        about_first = (
            f"first start of an installed checkout, with migrating and seeding: {first.seconds:.1f} s"
        )
    figures = (
        clean,
        Figure(
            "make demo, warm, s", "–", f"{middle:.1f} ({ordered[0]:.1f}–{ordered[-1]:.1f})", None,
            f"≤ {WARM_TARGET_S:g} s", middle <= WARM_TARGET_S,
        ),
        Figure("make demo, Ctrl-C to gone, s", "–", f"{max(s.stop_seconds for s in (first, *warm)):.1f} at most"),
    )  # fmt: skip
    return Report(figures, (about_first,), [dataclasses.asdict(start) for start in (first, *warm)])
