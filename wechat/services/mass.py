"""Mass messages without a row of ours: the caller keeps the record, as with `direct`.

Official pages "mass send by tag", "mass send by openid", "preview", "query", "delete", "list drafts". A send has a
`clientmsgid`: within a day WeChat knows it, refuses a second send under it and tells the first one's id, so an unknown
end is asked about by sending the same again. Nothing here runs inside a transaction.
"""

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from core import clock
from core.errors import NotFound, Refusal
from core.outside import refuse_open_transaction
from wechat.client.errors import WeChatError
from wechat.client.gateway import GatewayClient
from wechat.contracts import DraftCard, MassContent, MassState, SendOutcome
from wechat.services import media, verdicts
from wechat.services.clients import client_for
from wechat.services.failures import to_refusal

LIST_PATH: Final = "/cgi-bin/message/mass/send"
ALL_PATH: Final = "/cgi-bin/message/mass/sendall"
PREVIEW_PATH: Final = "/cgi-bin/message/mass/preview"
FEWEST_OPENIDS: Final = 2
MOST_OPENIDS: Final = 10_000
LONGEST_CLIENT_MSG_ID: Final = 64
# WeChat looks through the last 24 hours for a known id; an hour is left for clocks and slow calls.
KNOWN_FOR: Final = dt.timedelta(hours=23)
# Official page: one follower of a service account gets four mass messages in a calendar month, whoever sent them.
MOST_A_MONTH: Final = 4
_DRAFTS: Final = 20
_PATIENCE_S: Final = 5
_STATES: Final[Mapping[str, MassState]] = {
    "SEND_SUCCESS": "sent",
    "SENDING": "sending",
    "SEND_FAIL": "failed",
    "DELETE": "deleted",
}


@dataclasses.dataclass(frozen=True, slots=True)
class MassAudience:
    """Whom a mass message goes to: these openids, the followers with that tag of WeChat's, or everybody (both None)."""

    openids: Sequence[str] | None = None
    tag_id: int | None = None


def send_mass(
    *, account_id: int, content: MassContent, audience: MassAudience, client_msg_id: str
) -> SendOutcome:
    """Send it once under this id (1–64 characters). `sent` with errcode 45065: an earlier send under the id counts.

    `uncertain` is repeatable under the same id for KNOWN_FOR after the first attempt, a minute apart.
    """
    if not 1 <= len(client_msg_id) <= LONGEST_CLIENT_MSG_ID:
        raise ValueError("client_msg_id has 1 to 64 characters")

    def call(client: GatewayClient) -> dict[str, Any]:
        with _body(account_id, content, is_preview=False) as body:
            answer: dict[str, Any] = client.message.send_mass(
                body, client_msg_id=client_msg_id, openids=audience.openids, tag_id=audience.tag_id
            )
        return answer

    path = ALL_PATH if audience.openids is None else LIST_PATH
    return _send(account_id, path, call, is_repeatable=True)


def preview_mass(*, account_id: int, content: MassContent, openid: str = "", wxname: str = "") -> SendOutcome:
    """One colleague sees it as followers will: by openid (she must follow), else by her WeChat name."""

    def call(client: GatewayClient) -> dict[str, Any]:
        with _body(account_id, content, is_preview=True) as body:
            answer: dict[str, Any] = client.message.preview_mass(body, openid=openid, wxname=wxname)
        return answer

    return _send(account_id, PREVIEW_PATH, call)


def find_mass_state(*, account_id: int, message_id: str) -> MassState:
    """How WeChat says it stands. Raises WeChatAway, WeChatRefused, NotFound for no active account."""
    answer = _ask(account_id, lambda client: client.message.get_mass(_number(message_id)))
    status = answer.get("msg_status") if isinstance(answer, dict) else None
    return _STATES.get(status, "unknown") if isinstance(status, str) else "unknown"


def delete_mass(*, account_id: int, message_id: str) -> None:
    """Its articles open no more; whoever has the message keeps its card. Of texts and pictures WeChat takes nothing back.
    Doing it twice is the same. Raises as `find_mass_state`."""
    _ask(account_id, lambda client: client.message.delete_mass(_number(message_id)))


def list_drafts(*, account_id: int) -> Sequence[DraftCard]:
    """The newest 20 drafts of the account's console. Somebody waits for it: WeChat is asked once and for a few seconds.
    Raises as `find_mass_state`."""
    answer = _ask(account_id, lambda client: client.draft.list_newest(_DRAFTS), is_urgent=True)
    items = answer.get("item") if isinstance(answer, dict) else None
    return [card for card in map(_draft, items if isinstance(items, list) else []) if card is not None]


@contextlib.contextmanager
def _body(account_id: int, content: MassContent, *, is_preview: bool) -> Iterator[dict[str, Any]]:
    """The message as the call holds it. A preview names one picture, a send a list of them."""
    if content.kind == "text":
        yield {"msgtype": "text", "text": {"content": content.text}}
    elif content.kind == "article":
        yield {"msgtype": "mpnews", "mpnews": {"media_id": content.media_id}}
    else:
        with media.uploaded(account_id=account_id, source=content.picture, kind="image") as media_id:
            picture = (
                {"image": {"media_id": media_id}} if is_preview else {"images": {"media_ids": [media_id]}}
            )
            yield {"msgtype": "image", **picture}


def _send(
    account_id: int,
    path: str,
    call: Callable[[GatewayClient], dict[str, Any]],
    *,
    is_repeatable: bool = False,
) -> SendOutcome:
    refuse_open_transaction()
    try:
        answer = call(client_for(account_id))
    except WeChatError as error:
        return verdicts.judge(error, send_path=path, is_repeatable=is_repeatable, at=clock.now())
    except NotFound:
        return SendOutcome("halted", f"{verdicts.PREFIX}account_off")
    except Refusal:  # the picture
        return SendOutcome("refused", f"{verdicts.PREFIX}unfit")
    message_id = answer.get("msg_id")
    return SendOutcome(
        "sent",
        errcode=answer.get("errcode", 0),
        message_id="" if message_id is None else str(message_id)[:40],
    )


def _ask(account_id: int, call: Callable[[GatewayClient], Any], *, is_urgent: bool = False) -> Any:
    patience: dict[str, Any] = {"timeout_s": _PATIENCE_S, "busy_patience_s": 0} if is_urgent else {}
    try:
        return call(client_for(account_id, **patience))
    except WeChatError as error:
        raise to_refusal(error) from error


def _number(message_id: str) -> int | str:
    return int(message_id) if message_id.isascii() and message_id.isdecimal() else message_id


def _draft(item: Any) -> DraftCard | None:
    content = item.get("content") if isinstance(item, dict) else None
    articles = content.get("news_item") if isinstance(content, dict) else None
    media_id = item.get("media_id") if isinstance(item, dict) else None
    if not isinstance(media_id, str) or not isinstance(articles, list) or not articles:
        return None
    first = articles[0] if isinstance(articles[0], dict) else {}
    return DraftCard(media_id, str(first.get("title") or "").replace("\0", ""), len(articles))
