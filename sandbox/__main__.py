"""`python -m sandbox`: run the stand-in for WeChat."""

import argparse
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from sandbox.app import close, create_app, is_loopback
from sandbox.pushes import Postman
from sandbox.state import World

log = logging.getLogger("sandbox")


class Server(uvicorn.Server):
    """A server that ends open streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, world: World, postman: Postman) -> None:
        super().__init__(config)
        self.world = world
        self.postman = postman

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal and exit normally, instead of dying of the same signal afterwards."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop within a second even with consoles open."""
        await close(self.world, self.postman)
        await super().shutdown(sockets)


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A stand-in for WeChat.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8002)
    parser.add_argument("--state", type=Path, metavar="FILE", help="keep the state in this JSON file")
    parser.add_argument("--allow-remote", action="store_true", help="permit an address others can reach")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run until told to stop; return the exit status."""
    options = read_arguments(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s sandbox: %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    if not is_loopback(options.host) and not options.allow_remote:
        log.error(
            "%s can be reached by others; the sandbox has no passwords. Use --allow-remote if you must.",
            options.host,
        )
        return 2
    with socket.socket(socket.AF_INET6 if ":" in options.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            log.error("cannot listen on %s:%s: %s", options.host, options.port, error.strerror)
            return 1
    world = World()
    postman = Postman(world)
    app = create_app(world, postman, state=options.state, is_remote_allowed=options.allow_remote)
    config = uvicorn.Config(
        app,
        host=options.host,
        port=options.port,
        access_log=False,  # it would print tokens and secrets from query strings
        log_level="warning",
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    log.info("this is a stand-in for WeChat, not WeChat. Console: http://%s:%s/", options.host, options.port)
    Server(config, world, postman).run()
    log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
