"""The callback's two mounts around one function.

`CallbackMount` sits at WSGI level, in front of Django's handler: a push passes no middleware and no URL
resolver (docs/adr/0003). `callback` is the same as a normal view, for servers and tests that enter through Django.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from wechat.services.callback import Answer, answer
from wechat.services.parsing import MAX_BODY_BYTES

StartResponse = Callable[..., Any]
WsgiApplication = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_PREFIX: Final = "/wechat/callback/"
_REASONS: Final = {200: "200 OK", 403: "403 Forbidden", 503: "503 Service Unavailable"}


class CallbackMount:
    """Serves /wechat/callback/<slug>/ itself and passes everything else on."""

    def __init__(self, application: WsgiApplication) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if not path.startswith(_PREFIX):
            return self._application(environ, start_response)
        slug = path[len(_PREFIX) :].rstrip("/")
        query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        result = answer(slug, environ["REQUEST_METHOD"], query, _read_body(environ))
        headers = [("Content-Type", result.content_type), ("Content-Length", str(len(result.body)))]
        start_response(_REASONS[result.status], headers)
        return [result.body]


def _read_body(environ: dict[str, Any]) -> bytes | None:
    """The body, or None when it is larger than a push can be; then it is not read at all."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdigit() and int(length) > MAX_BODY_BYTES:
        return None
    # One byte more than allowed shows a body that lied about its length or came in chunks.
    body: bytes = environ["wsgi.input"].read(int(length) if length.isdigit() else MAX_BODY_BYTES + 1)
    return None if len(body) > MAX_BODY_BYTES else body


@csrf_exempt
def callback(request: HttpRequest, slug: str) -> HttpResponse:
    """The same as a Django view. Signatures stand in for CSRF tokens."""
    query = {key: str(request.GET[key]) for key in request.GET}
    body = _read_body({**request.META, "wsgi.input": request})
    result: Answer = answer(slug, request.method or "", query, body)
    return HttpResponse(result.body, status=result.status, content_type=result.content_type)
