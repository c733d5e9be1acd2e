"""Starts engines, web, worker and sandbox, waits until all are healthy, prints where to go, and stops cleanly.

Environment: WEB_PORT (8000), SANDBOX_PORT (8002), DEMO_HOME (var/demo), LIVE_TILL (on); DATABASE_URL and REDIS_URL replace the
embedded engines.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from config.demo.processes import Ports, ProcessFailed, Supervisor, is_free

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    started = time.monotonic()
    ports = Ports(web=_port("WEB_PORT", 8000), sandbox=_port("SANDBOX_PORT", 8002))
    for name, port in (("WEB_PORT", ports.web), ("SANDBOX_PORT", ports.sandbox)):
        if not is_free(port):
            print(
                f"Port {port} is in use. Stop what uses it, or choose another: make demo {name}={port + 10}"
            )
            return 1
    home = Path(os.environ.get("DEMO_HOME") or ROOT / "var" / "demo").resolve()
    (home / "log").mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    _stop_on_signals(stop)
    from core import embedded

    print("Starting PostgreSQL and Redis …", flush=True)
    try:
        embedded.ensure_environment(home)
    except embedded.EngineFailed as error:
        print(error)
        return 1
    return _run(Supervisor(ROOT, home, ports), ports, stop, started)


def _run(supervisor: Supervisor, ports: Ports, stop: threading.Event, started: float) -> int:
    os.environ.update(supervisor.settings())
    supervisor.start_sandbox()
    try:
        from config.demo.prepare import prepare

        logins = prepare(supervisor)
        supervisor.let_worker_begin()
        supervisor.wait_until_healthy(stop)
        if stop.is_set():
            return 0
        _print_welcome(ports, logins.text, time.monotonic() - started, supervisor.home)
        _go_on_selling(supervisor, stop)
        supervisor.watch(stop)
    except ProcessFailed as error:
        print(f"\n{error}")
        return 1
    finally:
        print("\nStopping …", flush=True)
        supervisor.stop()
    return 0


def _go_on_selling(supervisor: Supervisor, stop: threading.Event) -> None:
    """A till sells while the demo runs, unless LIVE_TILL says no; nobody waits for it."""
    if (os.environ.get("LIVE_TILL") or "on").lower() in ("off", "no", "false", "0"):
        print("\nThe live till is off (LIVE_TILL).", flush=True)
        return
    from config.demo.live_till import NAME, LiveTill, find_calls

    calls = find_calls(supervisor.home, supervisor.web_url)
    if calls is None:
        print(
            "\nThe live till has no key in this home, so it sells nothing (make reset gives it one).",
            flush=True,
        )
        return
    LiveTill(calls, stop, supervisor.home / "log" / "till.log").start()
    print(
        f"\nA live till sells something every few seconds. Enter pauses it; LIVE_TILL=off starts without it; revoking"
        f"\nits key ({NAME}) in the admin under 接口密钥 shuts it out.",
        flush=True,
    )


def _port(name: str, default: int) -> int:
    value = os.environ.get(name) or str(default)
    if not value.isdigit() or not 0 < int(value) < 65536:
        print(f"{name} takes a port number, not {value!r}")
        sys.exit(2)
    return int(value)


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)


def _print_welcome(ports: Ports, logins: str, seconds: float, home: Path) -> None:
    print(
        f"""
Xiaoer is up ({seconds:.1f} s).

  WeChat sandbox   http://127.0.0.1:{ports.sandbox}/
  Guide assistant  http://127.0.0.1:{ports.web}/a/
  Admin            http://127.0.0.1:{ports.web}/admin/

{logins}
Try this first: open the assistant and choose 李娜. Then open the link above, press 扫 and watch 小美 being
greeted by name, and arriving on 李娜's page.

Logs are in {home / "log"}. Ctrl-C stops everything; the data stays (make reset forgets it).""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
