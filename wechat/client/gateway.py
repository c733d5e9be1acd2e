"""The one client through which everything leaves for WeChat."""

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, Protocol, Self

from django.conf import settings
from wechatpy.client import WeChatClient
from wechatpy.client.api.base import BaseWeChatAPI

from core import clock
from core.outside import refuse_open_transaction
from wechat.client import answers, apis, calls, mini, transport
from wechat.client.errors import BUSY, ApiError, NotOffered, UnreadableAnswer, WeChatError

logger = logging.getLogger(__name__)

# Official page "global return codes": on −1 try again later, here after 1, 2, 4 … seconds, at most five
# times.
BUSY_PAUSES_S: Final[Sequence[float]] = (1, 2, 4, 8, 16)


class TokenSource(Protocol):
    """Where tokens come from; shared by every process (`wechat.services.tokens`)."""

    def get_token(self) -> str:
        """The current access token."""

    def renew_token(self, failed: str) -> str:
        """A token other than the failed one, unless somebody has renewed it already."""

    def get_ticket(self) -> str:
        """The current jsapi_ticket."""


@dataclasses.dataclass(frozen=True, slots=True)
class CallRecord:
    """How one HTTP call went; it holds no parameter and no token."""

    path: str
    called_at: dt.datetime
    outcome: str
    errcode: int | None
    rid: str
    latency_ms: int


Journal = Callable[[CallRecord], None]


class GatewayClient(WeChatClient):  # type: ignore[misc]  # wechatpy ships no types
    """wechatpy's client with its API classes, on our own transport and tokens.

    Every method may raise WeChatError and its kinds. One client serves one account and may be shared by
    threads.
    """

    qrcode = apis.GatewayQRCode()
    media = apis.GatewayMedia()
    message = apis.GatewayMessage()
    jsapi = apis.GatewayJSAPI()
    cloud = apis.GatewayCloud()
    stable_token = apis.StableToken()
    oauth = apis.GatewayOAuth()
    quotas = apis.Quotas()
    draft = apis.GatewayDraft()
    wxa = mini.GatewayWxa()

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        # wechatpy's own __new__ looks at every attribute and so runs properties (access_token) on an object
        # that is not set up yet; this one looks at the API classes only.
        self: Self = object.__new__(cls)
        for kind in reversed(cls.__mro__):
            for name, api in vars(kind).items():
                if isinstance(api, BaseWeChatAPI):
                    setattr(self, name, type(api)(self))
        return self

    def __init__(
        self,
        app_id: str,
        secret: str,
        *,
        tokens: TokenSource | None = None,
        journal: Journal | None = None,
        sleep: Callable[[float], None] = time.sleep,
        busy_patience_s: float = 8,
        timeout_s: float | None = None,
    ) -> None:
        """`tokens=None` makes a client for calls that take no token. `busy_patience_s` bounds the pauses on
        −1.

        wechatpy's __init__ is not called: it opens a requests session and a token storage of its own.
        """
        self.appid = app_id
        self.secret = secret
        self.timeout = timeout_s
        self.auto_retry = False
        self._tokens = tokens
        self._journal = journal
        self._sleep = sleep
        self._busy_patience_s = busy_patience_s

    def __repr__(self) -> str:
        return f"<GatewayClient {self.appid}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds a secret and is not pickled")

    @property
    def tokens(self) -> TokenSource:
        if self._tokens is None:
            raise RuntimeError("this client serves calls without a token only")
        return self._tokens

    @property
    def access_token(self) -> str:
        return self.tokens.get_token()

    def fetch_access_token(self) -> NoReturn:
        """Refused: tokens have one refresher, `wechat.services.tokens`."""
        raise NotOffered("tokens come from wechat.services.tokens")

    def _request(self, method: str, url_or_endpoint: str, **arguments: Any) -> Any:
        """What every API class of wechatpy ends in."""
        refuse_open_transaction()
        base = arguments.pop("api_base_url", self.API_BASE_URL)
        if not url_or_endpoint.startswith(("http://", "https://")):
            url_or_endpoint = f"{base}{url_or_endpoint}"
        processor = arguments.pop("result_processor", None)
        timeout_s = arguments.pop("timeout", None) or self.timeout or settings.WECHAT_TIMEOUT_S
        call = calls.build(method, url_or_endpoint, timeout_s=timeout_s, **arguments)
        result = self._perform(call)
        if processor is None:
            return result
        try:
            return processor(result)
        except (KeyError, TypeError) as error:
            raise UnreadableAnswer(call.path, errmsg="a field is missing") from error

    def _perform(self, call: calls.Call) -> Any:
        """Make the call; renew the token and repeat once on 40001, 40014, 42001; pause and repeat on −1."""
        token = self.tokens.get_token() if call.takes_token else None
        is_renewed = False
        pauses = list(self._pauses()) if call.is_repeatable else []
        while True:
            outcome = self._attempt(call, token)
            if not isinstance(outcome, WeChatError):
                return outcome
            if isinstance(outcome, ApiError) and outcome.is_token_trouble and token and not is_renewed:
                is_renewed = True
                token = self.tokens.renew_token(token)
            elif outcome.errcode == BUSY and pauses:
                self._sleep(pauses.pop(0))
            else:
                raise outcome

    def _pauses(self) -> list[float]:
        pauses: list[float] = []
        for pause in BUSY_PAUSES_S:
            if sum(pauses) + pause > self._busy_patience_s:
                break
            pauses.append(pause)
        return pauses

    def _attempt(self, call: calls.Call, token: str | None) -> Any:
        """One HTTP exchange and its row in the call log; a failure is returned, not raised."""
        called_at = clock.now()
        started = time.perf_counter()
        outcome: Any
        try:
            answer = transport.exchange(
                call.method,
                call.url(token),
                path=call.path,
                body=call.body,
                content_type=call.content_type,
                timeout_s=call.timeout_s,
            )
            private = [*call.private_values(), token or "", self.secret]
            outcome = answers.read(
                answer,
                call.path,
                may_be_binary=call.may_be_binary,
                private=private,
                answering_codes=call.answering_codes,
            )
        except WeChatError as error:
            outcome = error.with_traceback(None)
        latency_ms = round((time.perf_counter() - started) * 1000)
        self._note(call.path, called_at, latency_ms, outcome if isinstance(outcome, WeChatError) else None)
        return outcome

    def _note(self, path: str, called_at: dt.datetime, latency_ms: int, error: WeChatError | None) -> None:
        if error is not None:
            is_alert = isinstance(error, ApiError) and error.is_alert
            logger.log(
                logging.ERROR if is_alert else logging.INFO,
                "wechat.call_failed",
                extra={"path": path, "outcome": error.outcome, "errcode": error.errcode, "rid": error.rid},
            )
        if self._journal is not None:
            self._journal(
                CallRecord(
                    path=path,
                    called_at=called_at,
                    outcome=error.outcome if error else "ok",
                    errcode=error.errcode if error else None,
                    rid=error.rid if error else "",
                    latency_ms=latency_ms,
                )
            )
