"""The SDK's requests over a transport of our own: timeouts, no redirect, no proxy from the environment, an answer of
bounded size, and errors that say whether the request may have arrived.

The SDK's own transport tells every failure by one code, takes proxies from the environment, and writes numbers and texts
into its debug log.
"""

import functools
import logging
import os
from typing import Any, Final

import urllib3
from django.conf import settings
from tencentcloud.common.abstract_client import LOGGER_NAME
from tencentcloud.common.exception import TencentCloudSDKException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError

CONNECT_TIMEOUT_S: Final = 3.0
_LARGEST_ANSWER: Final = 1024 * 1024
_JSON: Final = "application/json"

# It logs whole answers, numbers among them.
logging.getLogger(LOGGER_NAME).setLevel(logging.CRITICAL)


class NotReached(TencentCloudSDKException):  # type: ignore[misc]
    """Nobody was there: the provider does not have the request."""


class NoAnswer(TencentCloudSDKException):  # type: ignore[misc]
    """The request left, and what came of it is not known."""


class Answer:
    """What the SDK reads of an HTTP answer."""

    def __init__(self, status: int, content: bytes, content_type: str) -> None:
        self.status_code = status
        self.content = content
        # The SDK knows a refusal only under this very word, without a charset behind it.
        self.headers = {"Content-Type": _JSON if content_type.startswith(_JSON) else content_type}


@functools.cache
def connections() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=2, maxsize=64, retries=False)


# A worker that inherited open connections would share them with its parent.
os.register_at_fork(after_in_child=connections.cache_clear)


class Transport:
    """Stands in the place of the SDK's `ApiRequest`."""

    def send_request(self, request: Any) -> Answer:
        """The answer, whatever its status. Raises NotReached and NoAnswer."""
        try:
            response = connections().request(
                request.method,
                settings.SMS_ENDPOINT.rstrip("/") + request.uri,
                body=request.data.encode(),
                headers=request.header,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=settings.SMS_TIMEOUT_S),
            )
            try:
                content = response.read(_LARGEST_ANSWER)
                return Answer(response.status, content, response.headers.get("Content-Type", ""))
            finally:
                response.close()
                response.release_conn()
        except (NewConnectionError, ConnectTimeoutError) as error:
            raise NotReached("no_connection") from error
        except (HTTPError, TimeoutError, OSError) as error:
            raise NoAnswer("timeout" if isinstance(error, ReadTimeoutError) else "connection") from error
