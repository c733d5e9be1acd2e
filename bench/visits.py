"""Visits to pages in one process, as a server makes them: through the WSGI application, with all that Django does."""

import io
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Visit = Callable[[str], float]
FLOOR: Final = "/bench/one-query/"
_FINE: Final = ("200", "204")


def visitor(application: Any, people: Sequence[Mapping[str, str]]) -> Visit:
    """Visits made by these people in turns, each with his headers (named as in WSGI).

    A visit gives the milliseconds it took; RuntimeError when it was answered with an error.
    """
    turns = itertools.cycle(people)
    base = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT_ENCODING": "gzip",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }

    def visit(path: str) -> float:
        told: list[str] = []
        place, _mark, query = path.partition("?")
        environ = {
            **base,
            **next(turns),
            "PATH_INFO": place,
            "QUERY_STRING": query,
            "wsgi.input": io.BytesIO(),
        }
        began = time.perf_counter()
        answer = application(environ, lambda status, _headers, _error=None: told.append(status))
        for _part in answer:
            pass
        answer.close()
        taken = (time.perf_counter() - began) * 1000
        if told[0][:3] not in _FINE:
            raise RuntimeError(f"{path} answered {told[0]}")
        return taken

    return visit


def take_turns(visit: Visit, paths: Mapping[str, str], visits: int) -> dict[str, Any]:
    """Milliseconds of the floor and of each page, and the queries of each page.

    All are visited in turns, another one first in each round: the first after the floor finds the processor's caches cold.
    """
    for path in (FLOOR, *paths.values()):
        visit(path)
    floor: list[float] = []
    times: dict[str, list[float]] = {name: [] for name in paths}
    names = list(paths)
    for number in range(visits):
        floor.append(visit(FLOOR))
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            times[name].append(visit(paths[name]))
    pages = {
        name: {"ms": times[name], "queries": _count_queries(visit, path)} for name, path in paths.items()
    }
    return {"floor": floor, "pages": pages}


def _count_queries(visit: Visit, path: str) -> int:
    from django.db import connection

    asked: list[str] = []

    def counting(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(counting):
        visit(path)
    return len(asked)
