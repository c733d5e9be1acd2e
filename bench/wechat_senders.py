"""`python -m bench.wechat_senders floor|ours <messages> <threads>`, or `rate <seconds> <threads>`: one process of senders, as
`bench.wechat_sends` measures them. Prints seconds taken, messages sent and the processor's seconds."""

import concurrent.futures
import itertools
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import django
import urllib3

HANDFUL: Final = 50
CHUNK: Final = 500  # what a worker leases at once
FIELDS: Final = {"thing1": "羊毛双面呢大衣等2件", "amount2": "1899.00元", "time3": "2026年11月28日 15:20"}
TEMPLATE_ID: Final = "T" * 43


def _openid(number: int) -> str:
    return f"o{number:027d}"


def _floor(base_url: str, count: int, threads: int) -> Callable[[], int]:
    """The same client library in a bare loop: a ready address, a body made by one call, an answer that is read."""
    pool = urllib3.PoolManager(maxsize=threads, retries=False)
    url = f"{base_url}/api/cgi-bin/message/template/send?access_token={'t' * 136}"
    headers = {"Content-Type": "application/json; charset=utf-8"}

    def send_many(numbers: range) -> int:
        sent = 0
        for number in numbers:
            body = {
                "touser": _openid(number),
                "template_id": TEMPLATE_ID,
                "client_msg_id": str(number),
                "data": {name: {"value": value} for name, value in FIELDS.items()},
            }
            data = json.dumps(body, ensure_ascii=False).encode()
            answer = pool.request("POST", url, body=data, headers=headers)
            sent += json.loads(answer.data)["errcode"] == 0
        return sent

    return lambda: _in_threads(send_many, count, threads)


def _ours(account_id: int, count: int, threads: int) -> Callable[[], int]:
    """As a worker sends: a courier for a chunk, permits in handfuls, outcomes typed, calls in the log."""

    def send_many(numbers: range) -> int:
        chunks = [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
        return sum(_send_chunk(account_id, iter(chunk)) for chunk in chunks)

    return lambda: _in_threads(send_many, count, threads)


def _handfuls(account_id: int, numbers: Iterator[int]) -> Iterator[list[int]]:
    """The numbers, as permits for them come."""
    from core import clock
    from wechat.services import lanes

    while waiting := list(itertools.islice(numbers, HANDFUL)):
        while waiting:
            permits = lanes.take_permits(account_id=account_id, channel="template", wanted=len(waiting))
            if permits.count:
                yield waiting[: permits.count]
                waiting = waiting[permits.count :]
            elif permits.wait_until is not None:
                time.sleep(max(0.0, (permits.wait_until - clock.now()).total_seconds()))


def _send_chunk(account_id: int, numbers: Iterator[int]) -> int:
    from wechat.services import direct

    with direct.courier(account_id=account_id) as carrying:
        outcomes = [
            carrying.send_template(
                openid=_openid(number), template_id=TEMPLATE_ID, fields=FIELDS, client_msg_id=str(number)
            )
            for handful in _handfuls(account_id, numbers)
            for number in handful
        ]
    return sum(outcome.state == "sent" for outcome in outcomes)


def _in_threads(send_many: Callable[[range], int], count: int, threads: int) -> int:
    share = count // threads
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(send_many, (range(n * share, (n + 1) * share) for n in range(threads))))


def _for_seconds(account_id: int, seconds: float, threads: int) -> Callable[[], int]:
    """Sends as fast as permits come, until the time is over."""
    over = threading.Event()

    def send_many(_numbers: range) -> int:
        sent = 0
        while not over.is_set():
            sent += _send_chunk(account_id, iter(range(HANDFUL)))
        return sent

    def run() -> int:
        threading.Timer(seconds, over.set).start()
        return _in_threads(send_many, threads, threads)

    return run


def _prepared(kind: str, amount: float, threads: int) -> Callable[[], int]:
    from django.conf import settings

    from wechat.models import Account

    base_url = settings.WECHAT_HOSTS["api.weixin.qq.com"].removesuffix("/api")
    account_id = Account.objects.values_list("pk", flat=True).get(kind="official")
    kinds: dict[str, Any] = {
        "floor": lambda: _floor(base_url, int(amount), threads),
        "ours": lambda: _ours(account_id, int(amount), threads),
        "rate": lambda: _for_seconds(account_id, amount, threads),
    }
    run: Callable[[], int] = kinds[kind]()
    return run


if __name__ == "__main__":
    django.setup()
    work = _prepared(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))
    began, busy = time.perf_counter(), time.process_time()
    sent_count = work()
    print(time.perf_counter() - began, sent_count, time.process_time() - busy)
