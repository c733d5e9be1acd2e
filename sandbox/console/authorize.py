"""The page a WeChat user sees when a site asks who she is: official page "web authorization".

Error numbers are those the real page shows: 10003 domain not registered, 10005 no such scope for this
account, 10010 to 10013 a missing or impossible parameter.
"""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.models import Account, Person
from sandbox.oauth import issue_code
from sandbox.state import World

HERE = Path(__file__).parent
COOKIE = "wechat_sandbox_person"
SCOPES = ("snsapi_base", "snsapi_userinfo")
STATE_LENGTH = 128
SHOWN_PEOPLE = 300
PARAMETERS = ("appid", "redirect_uri", "response_type", "scope", "state")


class PageError(Exception):
    """The page shows an error instead of a question."""

    def __init__(self, code: int, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(text)


@dataclass(frozen=True)
class Demand:
    """What a site asks for, after it was checked."""

    account: Account
    redirect_uri: str
    scope: str
    state: str

    def target(self, **answer: str) -> str:
        """Return where to send her: the callback with the answer in its query, before any fragment."""
        parts = urlsplit(self.redirect_uri)
        query = "&".join(part for part in (parts.query, urlencode({**answer, "state": self.state})) if part)
        return urlunsplit(parts._replace(query=query))


def _check_target(account: Account, redirect_uri: str) -> None:
    if not redirect_uri:
        raise PageError(10011, "redirect_uri 不能为空")
    parts, domains = urlsplit(redirect_uri), account.oauth_domains
    is_registered = domains is None or parts.netloc in domains or parts.hostname in domains
    if parts.scheme not in ("http", "https") or not parts.netloc or not is_registered:
        raise PageError(10003, "redirect_uri 域名与后台配置不一致")


def read_demand(world: World, query: dict[str, str]) -> Demand:
    """Check the parameters as the platform does, or raise PageError."""
    account = world.accounts.get(query.get("appid", ""))
    if not query.get("appid"):
        raise PageError(10012, "appid 不能为空")
    if account is None:
        raise PageError(40013, "AppID 参数错误")
    if account.kind != "official":
        raise PageError(10016, "不支持这种 AppID")
    _check_target(account, query.get("redirect_uri", ""))
    if query.get("response_type") != "code":
        raise PageError(10002, "response_type 要填 code")
    if not query.get("scope"):
        raise PageError(10010, "scope 不能为空")
    if query["scope"] not in SCOPES:
        raise PageError(10005, "该公众号没有这些 scope 的权限")
    if len(query.get("state", "")) > STATE_LENGTH:
        raise PageError(10013, "state 最多 128 个字符")
    return Demand(account, query["redirect_uri"], query["scope"], query.get("state", ""))


def remember(response: Response, person_id: str) -> None:
    """Offer this person first next time."""
    response.set_cookie(COOKIE, person_id, max_age=30 * 86_400, samesite="lax", httponly=True)


def _page(name: str, **values: str) -> HTMLResponse:
    template = Template((HERE / name).read_text(encoding="utf-8"))
    return HTMLResponse(template.substitute(values), headers={"Cache-Control": "no-store"})


def _error(error: PageError) -> Response:
    return _page("authorize_error.html", code=str(error.code), text=escape(error.text))


def _row(person: Person, *, is_chosen: bool) -> str:
    checked = " checked" if is_chosen else ""
    snapshot = "<em>只看快照页</em>" if person.is_snapshot else ""
    return (
        f'<label class="person" data-name="{escape(person.name)} {escape(person.phone)}">'
        f'<img src="/_/people/{person.id}/avatar.svg" alt="" width="40" height="40">'
        f"<span><b>{escape(person.name)}</b><small>{escape(person.phone)}</small></span>{snapshot}"
        f'<input type="radio" name="person" value="{person.id}"{checked}></label>'
    )


def _ask(world: World, demand: Demand, request: Request, *, problem: str = "") -> Response:
    """Show the question. Whom she was last time is chosen already, so one tap is enough."""
    people = world.cast()[::-1]
    last = world.people.get(request.cookies.get(COOKIE, ""))
    if last is not None:
        people = [last, *(person for person in people if person is not last)]
    rows = "".join(_row(person, is_chosen=person is last) for person in people[:SHOWN_PEOPLE])
    query = {**dict(request.query_params)}
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query.get(name, ""))}">' for name in PARAMETERS
    )
    wants = "你的昵称和头像" if demand.scope == "snsapi_userinfo" else "你的登录身份"
    return _page(
        "authorize.html",
        account=escape(demand.account.name),
        initial=escape(demand.account.name[:1] or "公"),
        host=escape(urlsplit(demand.redirect_uri).netloc),
        wants=wants,
        rows=rows,
        hidden=hidden,
        problem=f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else "",
        button=f"以{escape(last.name)}的身份继续" if last else "同意",
        empty="" if people else " is-empty",
        new_open=" open" if not people else "",
        search="" if len(people) > 8 else " hidden",
    )


def _grant(world: World, demand: Demand, person: Person, *, is_snapshot: bool) -> Response:
    snapshot = is_snapshot or person.is_snapshot
    code = issue_code(world, demand.account, person, demand.scope, is_snapshot=snapshot)
    response = RedirectResponse(demand.target(code=code), 302)
    remember(response, person.id)
    return response


def _decide(world: World, demand: Demand, form: dict[str, str], request: Request) -> Response:
    if form.get("decision") == "deny":
        return RedirectResponse(demand.target(), 302)
    name = form.get("new_name", "").strip()[:64]
    if name:
        person = world.add_person(name=name, key=None, phone=None, is_snapshot=False)
        world.publish_person(person)
    elif form.get("person") in world.people:
        person = world.people[form["person"]]
    else:
        return _ask(world, demand, request, problem="先选一个人，或者填一个新名字")
    return _grant(world, demand, person, is_snapshot=form.get("snapshot") == "1")


def routes(world: World) -> list[Route]:
    """Return the routes of the page."""

    async def show(request: Request) -> Response:
        query = dict(request.query_params)
        try:
            demand = read_demand(world, query)
        except PageError as error:
            return _error(error)
        if "sandbox_person" in query:
            person = world.people.get(query["sandbox_person"])
            if person is None:
                return _error(PageError(40003, "没有这个人"))
            if query.get("sandbox_decision") == "deny":
                return RedirectResponse(demand.target(), 302)
            return _grant(world, demand, person, is_snapshot=query.get("sandbox_snapshot") == "1")
        return _ask(world, demand, request)

    async def decide(request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return _error(PageError(403, "请从授权页面提交"))
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        try:
            demand = read_demand(world, form)
        except PageError as error:
            return _error(error)
        return _decide(world, demand, form, request)

    path = "/open/connect/oauth2/authorize"
    return [Route(path, show, methods=["GET"]), Route(path, decide, methods=["POST"])]
