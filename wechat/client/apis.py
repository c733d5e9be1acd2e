"""API classes in wechatpy's style, where its own are unusable or missing."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import quote

from wechatpy.client.api import WeChatCloud, WeChatJSAPI, WeChatMedia, WeChatMessage, WeChatQRCode
from wechatpy.client.api.base import BaseWeChatAPI

from wechat.client import hosts
from wechat.client.calls import BinaryAnswer
from wechat.client.errors import NotOffered


class StableToken(BaseWeChatAPI):  # type: ignore[misc]  # wechatpy ships no types
    """Official page "get stable access token"; wechatpy knows only the classic one."""

    def fetch(self, *, is_forced: bool = False, timeout_s: float | None = None) -> dict[str, Any]:
        """`{"access_token", "expires_in"}`; forced, WeChat kills the present token at once."""
        answer: dict[str, Any] = self._post(
            "stable_token",
            data={
                "grant_type": "client_credential",
                "appid": self.appid,
                "secret": self.secret,
                "force_refresh": is_forced,
            },
            timeout=timeout_s,
        )
        return answer


class GatewayQRCode(WeChatQRCode):  # type: ignore[misc]
    """wechatpy fetches the picture past its client: real host, no time limit, an error page taken as a
    picture."""

    def show(self, ticket: str | dict[str, Any]) -> BinaryAnswer:
        """The code's picture (JPEG). Raises TransportError 404 for a ticket that WeChat does not know."""
        if isinstance(ticket, dict):
            ticket = str(ticket["ticket"])
        url = f"https://{hosts.PICTURE_HOST}/cgi-bin/showqrcode"
        picture: BinaryAnswer = self._get(url, params={"ticket": ticket})
        return picture


class GatewayMedia(WeChatMedia):  # type: ignore[misc]
    def get_url(self, media_id: str) -> NoReturn:
        """Refused: wechatpy puts the access token into an address that would be stored or shown."""
        raise NotOffered("use download(): the address would carry the access token")


class GatewayMessage(WeChatMessage):  # type: ignore[misc]
    """Customer-service messages: official page "send customer service message"."""

    def send_article(
        self, openid: str, *, title: str, description: str, url: str, picture_url: str
    ) -> dict[str, Any]:
        """One picture article; WeChat refuses more (45008), wechatpy lets ten pass."""
        article = {"title": title, "description": description, "url": url, "picurl": picture_url}
        return self._send(openid, "news", {"articles": [article]})

    def send_card_page(
        self, openid: str, *, title: str, app_id: str, page: str, thumb_media_id: str
    ) -> dict[str, Any]:
        """A mini-program card. `page` has no leading slash."""
        card = {"title": title, "appid": app_id, "pagepath": page, "thumb_media_id": thumb_media_id}
        return self._send(openid, "miniprogrampage", card)

    def send_template_message(
        self,
        openid: str,
        template_id: str,
        fields: Mapping[str, str],
        *,
        url: str,
        mini_app_id: str,
        mini_page: str,
        client_msg_id: str,
    ) -> dict[str, Any]:
        """Official page "send template message": `{"msgid"}`. wechatpy cannot say `client_msg_id`."""
        body: dict[str, Any] = {
            "touser": openid,
            "template_id": template_id,
            "client_msg_id": client_msg_id,
            "data": {name: {"value": value} for name, value in fields.items()},
        }
        if url:
            body["url"] = url
        if mini_app_id:
            body["miniprogram"] = {"appid": mini_app_id, "pagepath": mini_page}
        answer: dict[str, Any] = self._post("message/template/send", data=body)
        return answer

    def send_mass(
        self,
        content: Mapping[str, Any],
        *,
        client_msg_id: str,
        openids: Sequence[str] | None = None,
        tag_id: int | None = None,
    ) -> dict[str, Any]:
        """Official pages "mass send by openid" and "mass send by tag": `{"msg_id", "msg_data_id"}`. To everybody when
        neither is given. wechatpy names tags by a field that is gone, and pictures by one of the preview."""
        body: dict[str, Any] = {**content, "clientmsgid": client_msg_id}
        if openids is not None:
            body["touser"] = list(openids)
            path = "message/mass/send"
        else:
            tag = {} if tag_id is None else {"tag_id": tag_id}
            body["filter"] = {"is_to_all": tag_id is None, **tag}
            path = "message/mass/sendall"
        answer: dict[str, Any] = self._post(path, data=body)
        return answer

    def preview_mass(self, content: Mapping[str, Any], *, openid: str, wxname: str) -> dict[str, Any]:
        """Official page "preview a mass message": to one openid, or to one WeChat name."""
        recipient = {"touser": openid} if openid else {"towxname": wxname}
        answer: dict[str, Any] = self._post("message/mass/preview", data={**content, **recipient})
        return answer

    def _send(self, openid: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._send_custom_message({"touser": openid, "msgtype": kind, kind: content})
        return answer


class GatewayDraft(BaseWeChatAPI):  # type: ignore[misc]
    """Drafts of articles, made in WeChat's console; wechatpy does not know them."""

    def list_newest(self, count: int) -> dict[str, Any]:
        """Official page "list drafts": `{"item": [{"media_id", "content": {"news_item": [{"title", …}]}}]}`, without the
        articles' own text. At most 20."""
        answer: dict[str, Any] = self._post(
            "draft/batchget", data={"offset": 0, "count": count, "no_content": 1}
        )
        return answer


class GatewayJSAPI(WeChatJSAPI):  # type: ignore[misc]
    """wechatpy keeps the ticket in its own storage, without expiry and until its last second."""

    def get_jsapi_ticket(self) -> str:
        """The shared ticket."""
        ticket: str = self._client.tokens.get_ticket()
        return ticket

    def get_jsapi_card_ticket(self) -> NoReturn:
        """Refused: no shared store holds that kind of ticket, and its quota is small."""
        raise NotOffered("card tickets are not kept")


class GatewayCloud(WeChatCloud):  # type: ignore[misc]
    def upload_file(self, env: str, path: str) -> NoReturn:
        """Refused: wechatpy posts the file to whatever host the answer names, past its client."""
        raise NotOffered("files may go to WeChat's own hosts only")


class Quotas(BaseWeChatAPI):  # type: ignore[misc]
    """Official pages "clear quota" and "query API call quota"; wechatpy knows neither."""

    def clear(self) -> dict[str, Any]:
        """All daily counters of this account are set back; ten times a month, then 48006."""
        answer: dict[str, Any] = self._post("clear_quota", data={"appid": self.appid})
        return answer

    def ask(self, path: str) -> dict[str, Any]:
        """`{"quota": {"daily_limit", "used", "remain"}}` of one interface, today."""
        answer: dict[str, Any] = self._post("openapi/quota/get", data={"cgi_path": path})
        return answer


class GatewayOAuth(BaseWeChatAPI):  # type: ignore[misc]
    """Official page "web authorization"; no call here takes or fetches the account's access token."""

    API_BASE_URL = f"https://{hosts.API_HOST}/"

    def authorize_url(self, redirect_uri: str, state: str, scope: str) -> str:
        """Where to send the browser. WeChat compares the text, so order and fragment are as on its page."""
        return hosts.page_url(
            f"/connect/oauth2/authorize?appid={quote(self.appid, safe='')}"
            f"&redirect_uri={quote(redirect_uri, safe='')}&response_type=code&scope={quote(scope, safe='')}"
            f"&state={quote(state, safe='')}#wechat_redirect"
        )

    def exchange_code(self, code: str) -> dict[str, Any]:
        """`{"openid", "access_token", …}` for a code; the token is the user's, not the account's."""
        answer: dict[str, Any] = self._get(
            "sns/oauth2/access_token",
            params={
                "appid": self.appid,
                "secret": self.secret,
                "code": code,
                "grant_type": "authorization_code",
            },
        )
        return answer
