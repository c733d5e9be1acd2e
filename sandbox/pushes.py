"""Delivering pushes: five seconds, three retries, in order per person.

Official page "message push / receiving". A retry carries the same MsgId and CreateTime under a fresh nonce
and ciphertext. An answer that is not HTTP 200 in time is tried again; a 200 that cannot be read is not, and
the person sees a notice of failure instead.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from typing import Any

import httpx

from sandbox.envelope import Parcel, count_old_key_push, seal
from sandbox.faults import draw_fault, pause
from sandbox.models import Account, Attempt, Fault, Person, Push
from sandbox.replies import BadReply, Reply, read_reply
from sandbox.state import World

OUTAGE = "该公众号提供的服务出现故障，请稍后再试"
SHOWN_ANSWER = 300
FIRST_MSG_ID = 24_000_000_000_000_000
TRANSPORT_TIMEOUT_S = 60.0  # a backstop; the push timeout of the settings is the one that counts


class Postman:
    """Takes pushes to callbacks and brings their answers into the chat."""

    def __init__(self, world: World) -> None:
        self.world = world
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=50)
        self.client = httpx.AsyncClient(
            trust_env=False, follow_redirects=False, limits=limits, timeout=TRANSPORT_TIMEOUT_S
        )
        self._queues: dict[tuple[str, str], asyncio.Lock] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_event_at: dict[str, int] = {}

    def make(
        self,
        account: Account,
        person: Person | None,
        openid: str,
        fields: dict[str, Any],
        *,
        create_time: int | None = None,
    ) -> Push:
        """Write a push: the common head is filled in where the caller left it out."""
        now = int(self.world.now()) if create_time is None else create_time
        head: dict[str, Any] = {
            "ToUserName": account.original_id,
            "FromUserName": openid,
            "CreateTime": now,
        }
        full = {**head, **fields}
        if full.get("MsgType") != "event" and "MsgId" not in full and "MsgType" in full:
            full["MsgId"] = FIRST_MSG_ID + int(self.world.now()) * 1000 + self.world.serial("message")
        push = Push(
            id=self.world.serial("push"),
            app_id=account.app_id,
            openid=openid,
            person_id=person.id if person else None,
            person_name=person.name if person else "",
            event=str(full.get("Event") or full.get("MsgType") or ""),
            fields=full,
            created_at=self.world.now(),
        )
        self.world.pushes.append(push)
        self.world.publish_push(push)
        return push

    def copy(self, push: Push) -> Push:
        """Write the same push once more, as WeChat does when it did not notice the first was answered."""
        account = self.world.accounts[push.app_id]
        person = self.world.people.get(push.person_id) if push.person_id else None
        return self.make(account, person, push.openid, push.fields)

    def post(
        self, pushes: Iterable[Push], *, in_order: bool = True, after_s: float = 0.0
    ) -> list[asyncio.Task[None]]:
        """Start delivering: behind whatever is under way to the same person, or all at once."""
        tasks = [
            asyncio.create_task(self._carry(push, in_order=in_order, after_s=after_s)) for push in pushes
        ]
        for task in tasks:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return tasks

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Start something of its own that ends with the process."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up everything under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._queues.clear()

    async def close(self) -> None:
        """Stop and release the connections."""
        await self.stop()
        await self.client.aclose()

    async def _carry(self, push: Push, *, in_order: bool, after_s: float) -> None:
        if after_s:
            await pause(self.world, after_s)
        fault = draw_fault(self.world, "pushes", push.event, push.app_id)
        if fault is not None and fault.kind == "hold":
            push.status = "held"
            self.world.publish_push(push)
            return
        if fault is not None and fault.kind == "same_second":
            push.fields["CreateTime"] = self._last_event_at.get(push.app_id, push.fields["CreateTime"])
        self._last_event_at[push.app_id] = push.fields["CreateTime"]
        if fault is not None and fault.kind == "duplicate":
            twin = self.copy(push)
            await asyncio.gather(self._deliver(push, None), self._deliver(twin, None))
        elif in_order:
            async with self._queues.setdefault((push.app_id, push.openid), asyncio.Lock()):
                await self._deliver(push, fault)
        else:
            await self._deliver(push, fault)

    async def _deliver(self, push: Push, fault: Fault | None) -> None:
        """Try until answered or given up, and let the person see what came of it."""
        account = self.world.accounts.get(push.app_id)
        if account is None or not account.callback_url:
            self._finish(push, "failed", "没有填写回调地址")
            return
        if fault is not None and fault.kind == "drop":
            self._finish(push, "lost", "按设定丢失，没有送出")
            return
        if fault is not None and fault.kind == "slow":
            await pause(self.world, fault.delay_s)
        reason = ""
        for number, delay in enumerate([0.0, *self.world.settings.push_retry_delays]):
            if delay:
                await pause(self.world, delay)
            if self.world.closing.is_set():
                return
            is_deaf = number == 0 and fault is not None and fault.kind == "accept_then_drop"
            try:
                reply, reason = await self._attempt(push, account, is_deaf=is_deaf)
            except BadReply as error:
                self._show(push, None)
                self._finish(push, "failed", str(error))
                return
            if reply is not None:
                self._show(push, reply)
                self._finish(push, "delivered", reply.kind or "success")
                return
            self.world.publish_push(push)
        self._show(push, None)
        self._finish(push, "failed", reason)

    async def _attempt(self, push: Push, account: Account, *, is_deaf: bool) -> tuple[Reply | None, str]:
        """Send once. Returns the reply, or None and why another attempt is due."""
        parcel = seal(self.world, account, push.fields, openid=push.openid)
        count_old_key_push(account)
        started = time.perf_counter()
        status, answer, error = None, b"", None
        try:
            timeout = self.world.settings.push_timeout_s
            response = await asyncio.wait_for(self.send(account, parcel), timeout)
            status, answer = response.status_code, response.content
        except TimeoutError:
            error = f"{self.world.settings.push_timeout_s:g} 秒内没有回应"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            error = f"连接失败：{type(failure).__name__}"
        if error is None and is_deaf:
            error = "按设定没有收到回应"
        if error is None and status != 200:
            error = f"HTTP {status}"
        shown = "" if parcel.aes_key and b"Encrypt" in answer else answer.decode("utf-8", "replace")
        spent = round((time.perf_counter() - started) * 1000)
        attempt = Attempt(self.world.now(), status, spent, error, shown[:SHOWN_ANSWER])
        push.attempts.append(attempt)
        if error is not None:
            return None, error
        is_event = push.fields.get("MsgType") == "event"
        try:
            reply = read_reply(self.world, account, parcel, answer, openid=push.openid, is_event=is_event)
        except BadReply as bad:
            attempt.error = f"回应无法识别：{bad}"
            raise
        return reply, ""

    async def send(self, account: Account, parcel: Parcel) -> httpx.Response:
        """Post one parcel to the account's callback."""
        url = httpx.URL(account.callback_url).copy_merge_params(parcel.query)
        headers = {"Content-Type": parcel.content_type, "User-Agent": "Mozilla/4.0", "Pragma": "no-cache"}
        return await self.client.post(url, content=parcel.body, headers=headers)

    def _finish(self, push: Push, status: str, result: str) -> None:
        push.status = status
        push.reply = result
        self.world.publish_push(push)

    def _show(self, push: Push, reply: Reply | None) -> None:
        """Put the answer, or the notice of failure, into the chat of the person it was about."""
        person = self.world.people.get(push.person_id) if push.person_id else None
        if person is None or (reply is not None and not reply.kind):
            return
        if reply is None:
            if push.event != "unsubscribe":
                self.world.add_bubble(
                    person, push.app_id, side="system", via="notice", kind="text", text=OUTAGE
                )
            return
        if reply.kind == "transfer_customer_service":
            text = "已转给人工客服，请稍等"
            self.world.add_bubble(person, push.app_id, side="system", via="notice", kind="text", text=text)
            return
        self.world.add_bubble(
            person, push.app_id, side="account", via="passive", kind=reply.kind, **reply.content
        )
