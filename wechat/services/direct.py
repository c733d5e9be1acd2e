"""Sending without a row of ours: the caller keeps the record, and gets an outcome that says what to do with it.

Nothing here waits, repeats or raises for what WeChat or the network does. What a failure says of the whole channel
(slow down, stop) is told to all workers before the outcome is returned. Permits are the caller's to take first
(`lanes.take_permits`). Official pages: "send template message", "send subscribe message", "send customer service
message".
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

from core import clock
from core.errors import NotFound, Refusal
from core.outside import refuse_open_transaction
from wechat.client.errors import WeChatError
from wechat.client.gateway import CallRecord, GatewayClient
from wechat.contracts import Channel, SendOutcome
from wechat.services import lanes, media, verdicts
from wechat.services.calls import record_calls
from wechat.services.clients import client_for
from wechat.services.tokens import AccountTokens

TEMPLATE_PATH: Final = "/cgi-bin/message/template/send"
SUBSCRIPTION_PATH: Final = "/cgi-bin/message/subscribe/send"
SERVICE_PATH: Final = "/cgi-bin/message/custom/send"
LONGEST_CLIENT_MSG_ID: Final = 32
# A courier looks at the account and its token again after so long.
_TRUSTED_FOR_S: Final = 5.0
_JOURNAL_ROWS: Final = 500

ServiceKind = Literal["text", "image", "article", "mini_program_card"]
MiniVersion = Literal["formal", "trial", "developer"]


class Courier:
    """Sends many messages of one account: one look at account and token for all of them within five seconds, the call
    log in bulk. Threads may share it; a token that dies meanwhile is renewed once for all. Made by `courier`."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self._tokens = _HeldToken(account_id)
        self._records: list[CallRecord] = []
        self._client: GatewayClient | None = None
        self._looked_at = 0.0
        self._lock = threading.Lock()

    def send_template(
        self,
        *,
        openid: str,
        template_id: str,
        fields: Mapping[str, str],
        client_msg_id: str,
        url: str = "",
        mini_app_id: str = "",
        mini_page: str = "",
    ) -> SendOutcome:
        """Send one template message of an official account.

        `client_msg_id` (1–32 characters) makes a repeat within ten minutes safe: WeChat sends it once. With a mini-program
        and an address, the mini-program opens. `fields` as `templates.fit_fields` returns them.
        """
        if not 1 <= len(client_msg_id) <= LONGEST_CLIENT_MSG_ID:
            raise ValueError("client_msg_id has 1 to 32 characters")

        def call(client: GatewayClient) -> dict[str, Any]:
            answer: dict[str, Any] = client.message.send_template_message(
                openid,
                template_id,
                fields,
                url=url,
                mini_app_id=mini_app_id,
                mini_page=mini_page,
                client_msg_id=client_msg_id,
            )
            return answer

        return self._send("template", TEMPLATE_PATH, call, is_repeatable=True)

    def send_subscription(
        self,
        *,
        openid: str,
        template_id: str,
        fields: Mapping[str, str],
        page: str = "",
        version: MiniVersion = "formal",
    ) -> SendOutcome:
        """Send one subscribe message of a mini-program; it uses up one consent of hers.

        WeChat knows no repeat of it: after `uncertain` it is not sent again. `page` has no leading slash.
        """

        def call(client: GatewayClient) -> dict[str, Any]:
            answer: dict[str, Any] = client.wxa.send_subscription(
                openid, template_id, fields, page=page, version=version
            )
            return answer

        return self._send("subscription", SUBSCRIPTION_PATH, call)

    def send_service_message(
        self, *, openid: str, kind: ServiceKind, payload: Mapping[str, Any]
    ) -> SendOutcome:
        """Send one customer-service message without a row in the outbox; after `uncertain` it is not sent again.

        `payload` by kind: text `{text}`; image `{path}`; article `{title, description, url, picture_url}`;
        mini_program_card `{title, card_app_id, page, thumb_path}`.
        """

        def call(client: GatewayClient) -> dict[str, Any]:
            if kind == "text":
                answer: dict[str, Any] = client.message.send_text(openid, payload["text"])
            elif kind == "article":
                answer = client.message.send_article(openid, **payload)
            elif kind == "image":
                answer = self._send_picture(client, openid, payload)
            else:
                answer = self._send_card(client, openid, payload)
            return answer

        return self._send("service", SERVICE_PATH, call)

    def flush(self) -> None:
        """Write the calls made so far to the call log."""
        with self._lock:
            records, self._records = self._records, []
        record_calls(self.account_id, records)

    def _send(
        self,
        channel: Channel,
        path: str,
        call: Callable[[GatewayClient], dict[str, Any]],
        *,
        is_repeatable: bool = False,
    ) -> SendOutcome:
        refuse_open_transaction()
        try:
            answer = call(self._present_client())
        except WeChatError as error:
            return self._judge(channel, path, error, is_repeatable)
        except NotFound:
            return SendOutcome("halted", f"{verdicts.PREFIX}account_off")
        except Refusal:  # the picture
            return SendOutcome("refused", f"{verdicts.PREFIX}unfit")
        message_id = answer.get("msgid")
        return SendOutcome("sent", errcode=0, message_id="" if message_id is None else str(message_id))

    def _judge(self, channel: Channel, path: str, error: WeChatError, is_repeatable: bool) -> SendOutcome:
        now = clock.now()
        trouble = verdicts.trouble_of(error, at=now)
        if trouble is not None:
            lanes.note_trouble(account_id=self.account_id, channel=channel, trouble=trouble, at=now)
        return verdicts.judge(error, send_path=path, is_repeatable=is_repeatable, at=now)

    def _send_picture(self, client: GatewayClient, openid: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        with media.uploaded(account_id=self.account_id, source=payload["path"], kind="image") as media_id:
            answer: dict[str, Any] = client.message.send_image(openid, media_id)
        return answer

    def _send_card(self, client: GatewayClient, openid: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        with media.uploaded(
            account_id=self.account_id, source=payload["thumb_path"], kind="thumb"
        ) as media_id:
            answer: dict[str, Any] = client.message.send_card_page(
                openid,
                title=payload["title"],
                app_id=payload["card_app_id"],
                page=payload["page"],
                thumb_media_id=media_id,
            )
        return answer

    def _present_client(self) -> GatewayClient:
        """An account that was switched off, or given another secret, counts within seconds."""
        with self._lock:
            now = time.monotonic()
            if self._client is None or now - self._looked_at > _TRUSTED_FOR_S:
                self._client = client_for(self.account_id, tokens=self._tokens, journal=self._note)
                self._looked_at = now
            return self._client

    def _note(self, record: CallRecord) -> None:
        with self._lock:
            self._records.append(record)
            is_full = len(self._records) >= _JOURNAL_ROWS
        if is_full:
            self.flush()


class _HeldToken:
    """The account's token, asked for once in five seconds; on a refusal the shared one is renewed."""

    def __init__(self, account_id: int) -> None:
        self._shared = AccountTokens(account_id)
        self._token = ""
        self._asked_at = 0.0

    def get_token(self) -> str:
        if not self._token or time.monotonic() - self._asked_at > _TRUSTED_FOR_S:
            self._keep(self._shared.get_token())
        return self._token

    def renew_token(self, failed: str) -> str:
        if self._token and self._token != failed:
            return self._token  # another thread has renewed it
        self._keep(self._shared.renew_token(failed))
        return self._token

    def get_ticket(self) -> str:
        return self._shared.get_ticket()

    def _keep(self, token: str) -> None:
        self._token, self._asked_at = token, time.monotonic()


@contextlib.contextmanager
def courier(*, account_id: int) -> Iterator[Courier]:
    """For one message or many in a row. At the end the calls are in the call log. Not inside a transaction."""
    carrying = Courier(account_id)
    try:
        yield carrying
    finally:
        carrying.flush()
