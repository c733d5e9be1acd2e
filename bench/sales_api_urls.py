"""The project's addresses and a floor for orders: a bare view that checks a signature and writes the rows of an order.

It looks up the key, checks the HMAC and sends the statements that pgbench sends in the other half, one after the other in
a transaction. It keeps no nonce, no key of the request, no answer and no log but those rows, reads nothing and asks no rule.
"""

import functools
import json
import os
import re
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from bench.coupon_api_urls import caller_of
from config.urls import urlpatterns as project

# pgbench's variables, and what they are here.
_PLACES: Final = {":client_id": "%(place)s", ":n": "%(n)s", ":o": "%(o)s"}


@csrf_exempt
def write_sale(request: HttpRequest) -> JsonResponse:
    """The rows of one order under the keys of (place, n). 401 for a wrong signature."""
    given = json.loads(request.body)
    with connection.cursor() as cursor:
        if caller_of(request, cursor) is None:
            return JsonResponse({"code": "wrong"}, status=401)
        place, number = int(given["place"]), int(given["n"])
        values = {"place": place, "n": number, "o": (place + 1) * 100_000_000 + number * 1_000}
        with transaction.atomic():
            for statement in _statements():
                cursor.execute(statement, values)
    return JsonResponse({"kind": "order", "number": f"{place}-{number}", "outcome": "booked"})


@functools.cache
def _statements() -> tuple[str, ...]:
    lines = Path(os.environ["BENCH_SALES_FLOOR"]).read_text(encoding="utf-8").splitlines()
    body = lines[lines.index("BEGIN;") + 1 : lines.index("COMMIT;")]
    return tuple(
        re.sub(r":client_id\b|:n\b|:o\b", lambda found: _PLACES[found[0]], line.replace("%", "%%"))
        for line in body
    )


urlpatterns = [path("bench/sale/", write_sale), *project]
