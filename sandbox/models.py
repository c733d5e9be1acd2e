"""What the stand-in remembers. Only JSON types inside, so that the whole can be written to a file."""

from dataclasses import dataclass, field
from typing import Any

DAY_S = 86_400


@dataclass
class AccessToken:
    """One access_token of an account; `dies_at` moves forward in time when a newer token supersedes it."""

    value: str
    family: str  # "classic" | "stable": the two never affect each other
    issued_at: float
    expires_at: float
    dies_at: float
    is_killed: bool = False


@dataclass
class MessageTemplate:
    """A template an account may send. `type`: 2 one message a consent, 3 many; 0 of an official account."""

    template_id: str
    title: str
    content: str
    example: str = ""
    type: int = 0


@dataclass
class MassRecord:
    """One mass message that was taken. `media_id` of an article's draft."""

    msg_id: int
    kind: str
    at: float
    status: str  # SENDING | SEND_SUCCESS | SEND_FAIL | DELETE
    media_id: str = ""


@dataclass
class Account:
    """An official account or mini-program as its operator configured it in the platform's console."""

    app_id: str
    name: str
    kind: str = "official"
    app_secret: str = ""
    original_id: str = ""
    token: str = ""
    aes_key: str = ""
    previous_aes_key: str | None = None
    mode: str = "safe"
    format: str = "xml"
    callback_url: str = ""
    api_url: str = ""  # of the mini-program's own server
    goods: list[str] | None = None  # codes of what it sells
    open_platform: str | None = None
    oauth_domains: list[str] | None = None
    ip_whitelist: list[str] | None = None
    token_lifetime: int = 7200
    permanent_qr_limit: int = 100_000
    quota: dict[str, int] = field(default_factory=dict)
    old_key_pushes: int | None = (
        0  # pushes still to be sent with the previous key; None = until told to finish
    )
    tokens: list[AccessToken] = field(default_factory=list)
    forced_refreshes: list[float] = field(default_factory=list)
    hands_out_killed_token: bool = False
    quota_used: dict[str, int] = field(default_factory=dict)
    quota_day: str = ""
    quota_clears: list[float] = field(default_factory=list)
    tickets: dict[str, tuple[str, float]] = field(default_factory=dict)
    menu: list[dict[str, Any]] = field(default_factory=list)
    menu_id: str = ""
    conditional_menus: list[dict[str, Any]] = field(
        default_factory=list
    )  # oldest first; the newest is tried first
    console_menu: list[dict[str, Any]] = field(default_factory=list)  # made in the platform's console
    pages: list[str] | None = None  # of the published mini-program, home first; None = any page exists
    picture_minute: int = 0
    pictures_drawn: int = 0  # mini-program codes drawn in that minute
    templates: dict[str, MessageTemplate] = field(default_factory=dict)
    sends_per_minute: int | None = None  # of template and subscribe messages; None = as many as one likes
    sends_minute: int = 0
    sends_made: int = 0  # in that minute
    sent_keys: dict[str, list[float]] = field(default_factory=dict)  # client_msg_id of a person → when, msgid
    crowd: int | None = None  # followers beyond the cast, see sandbox.crowd
    crowd_gone: list[str] | None = None  # those of the crowd who follow no more
    drafts: dict[str, list[dict[str, Any]]] = field(
        default_factory=dict
    )  # articles, by media id, oldest first
    masses: dict[str, MassRecord] = field(default_factory=dict)
    mass_keys: dict[str, list[float]] = field(default_factory=dict)  # clientmsgid → when, msg_id
    mass_month: str = ""
    mass_made: int = 0  # messages to everybody in that month
    mass_speed: int = 0
    tags: dict[str, str] = field(default_factory=dict)  # id → name of the tags its followers may carry


@dataclass
class CsGrant:
    """A right to send customer-service messages: which trigger opened it, how many are left, until when."""

    trigger: str
    opened_at: float
    expires_at: float
    left: int


@dataclass
class CampaignPage:
    """What a campaign's page shows: what the mini-program's server said, or in `refused` why there is nothing."""

    name: str = ""
    title: str = ""
    text: str = ""
    ends_at: str = ""  # with its zone; empty: no end
    coupon: dict[str, str] | None = None  # title, value_words, state, state_label, valid_until
    refused: str = ""


@dataclass
class Opening:
    """How a mini-program was opened: `query.scene` as the page gets it, still URL-encoded."""

    page: str
    query: dict[str, str]
    scene: int  # WeChat's number for the way in, not the code's scene
    at: float
    campaign: CampaignPage | None = None


@dataclass
class MiniTie:
    """What is between one person and one mini-program. Session keys and token are shown nowhere."""

    session_key: str = ""
    old_session_key: str = ""
    logged_in_at: float = 0.0
    phone_shared_at: float = 0.0
    logins: list[float] = field(default_factory=list)  # of the last minute
    opening: Opening | None = None
    consents: dict[str, int] = field(default_factory=dict)  # messages she still takes, by template
    always: dict[str, str] = field(default_factory=dict)  # accept or reject, without being asked again
    server_token: str = ""  # what the mini-program's own server gave her at the last login


@dataclass
class Tie:
    """What is between one person and one account: following, blocking, windows, remark."""

    is_following: bool = False
    followed_at: float = 0.0
    is_blocked: bool = False
    subscribe_scene: str = "ADD_SCENE_SEARCH"
    qr_scene: int = 0
    qr_scene_str: str = ""
    remark: str = ""
    tag_ids: list[int] = field(default_factory=list)
    grants: list[CsGrant] = field(default_factory=list)
    last_interaction_at: float = 0.0
    typing_until: float = 0.0
    mass_month: str = ""
    mass_count: int = 0  # mass messages she got in that month
    chat: list[dict[str, Any]] = field(default_factory=list)
    mini: MiniTie = field(default_factory=MiniTie)


@dataclass
class Person:
    """Someone who uses WeChat. Every openid and unionid she has is computed from `key`."""

    id: str
    key: str
    name: str
    phone: str
    is_snapshot: bool = False
    created_at: float = 0.0
    is_high_risk: bool = False
    is_regular: bool = False  # nobody plays her: she is in no list of people
    ties: dict[str, Tie] = field(default_factory=dict)


@dataclass
class Regular:
    """A follower of one account beyond the cast, named by a script: she is in no list of people and has no chat until
    something is sent to her alone. Then she becomes a person, and this goes."""

    key: str
    name: str
    app_id: str
    followed_at: float = 0.0
    is_following: bool = True
    subscribe_scene: str = "ADD_SCENE_SEARCH"
    qr_scene_str: str = ""
    tag_ids: list[int] = field(default_factory=list)

    def tie(self) -> Tie:
        """Return what is between her and the account, as persons have it."""
        return Tie(
            is_following=self.is_following,
            followed_at=self.followed_at,
            subscribe_scene=self.subscribe_scene,
            qr_scene_str=self.qr_scene_str,
            tag_ids=list(self.tag_ids),
        )


@dataclass
class QrCode:
    """A parametric QR code, or a mini-program code (`page` is set). `expires_at` is None for ever."""

    ticket: str
    url: str
    app_id: str
    action_name: str
    scene: str
    is_number: bool
    created_at: float
    expires_at: float | None
    scans: int = 0
    page: str | None = None


@dataclass
class MiniCode:
    """A mini-program's login or phone code: single use, five minutes, bound to one app and one person."""

    code: str
    app_id: str
    person_id: str
    expires_at: float
    is_used: bool = False
    phone: str = ""
    country_code: str = ""


@dataclass
class SealedData:
    """That a phone was given encryptedData with this SHA-256."""

    app_id: str
    created_at: float


@dataclass
class Media:
    """Uploaded material; temporary material is gone after three days (`expires_at` None = permanent)."""

    media_id: str
    app_id: str
    type: str
    content_type: str
    data_base64: str
    created_at: float
    expires_at: float | None


@dataclass
class OAuthCode:
    """The `code` of web authorization: single use, five minutes, bound to one app."""

    code: str
    app_id: str
    person_id: str
    openid: str
    scope: str
    is_snapshot: bool
    expires_at: float
    is_used: bool = False


@dataclass
class OAuthGrant:
    """What a code was exchanged for: a token of one person for one app, and the token that renews it."""

    access_token: str
    refresh_token: str
    app_id: str
    person_id: str
    openid: str
    scope: str
    is_snapshot: bool
    expires_at: float
    refresh_expires_at: float


@dataclass
class SmsAccount:
    """A key at the provider of text messages, with the signatures and templates it knows, by their ids."""

    key_id: str
    key_secret: str
    app_id: str
    signs: dict[str, str] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)  # text with {1}, {2} …
    rejected: list[str] = field(default_factory=list)  # ids that its reviewers did not approve
    param_limit: int = 20
    pace_s: int = 0  # one text to a number within so many seconds; 0: no limit
    balance: int | None = None
    blacklist: list[str] = field(default_factory=list)  # numbers that it sends nothing to
    dead: list[str] = field(default_factory=list)  # numbers that receive nothing
    callback_url: str = ""
    receipts: list[dict[str, Any]] = field(default_factory=list)  # not pulled yet
    answers: list[dict[str, Any]] = field(default_factory=list)
    # The newest of both, told or not: what is asked for by number.
    told_receipts: list[dict[str, Any]] = field(default_factory=list)
    told_answers: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class TextMessage:
    """A text message that arrived on a phone."""

    biz_id: str
    phone: str
    sign: str
    text: str
    at: float
    out_id: str
    fee: int = 1


@dataclass
class Fault:
    """Something that is to go wrong, some times or always, with some probability."""

    id: str
    target: str
    kind: str
    path: str = "*"
    app_id: str | None = None
    delay_s: float = 0.0
    times: int | None = None
    probability: float = 1.0
    fired: int = 0


@dataclass
class Settings:
    """How the platform behaves where real time is concerned."""

    push_retry_delays: list[float] = field(default_factory=lambda: [5.0, 5.0, 5.0])
    push_timeout_s: float = 5.0
    followers_page_size: int = 10_000
    template_repeat: str = "same"  # or "refused": what a repeated client_msg_id is answered
    mass_verdict: str = "send success"  # or "send fail", "err(10001)" …: how mass messages end
    mass_retry: str = "known"  # or "slow": what a known clientmsgid is answered within a minute
    delivery_delay_s: float = 0.2  # until a message's result is pushed
    country_code: str = "text"  # or "number": the page documents one and shows the other


@dataclass
class Attempt:
    """One try to deliver a push and what the callback answered."""

    at: float
    http_status: int | None
    latency_ms: int
    error: str | None
    answer: str


@dataclass
class Push:
    """A message or event on its way to the callback URL, with every attempt made."""

    id: int
    app_id: str
    openid: str
    person_id: str | None
    person_name: str
    event: str
    fields: dict[str, Any]
    created_at: float
    status: str = "pending"  # pending → delivered | failed | lost; held → pending
    reply: str = ""
    attempts: list[Attempt] = field(default_factory=list)


@dataclass
class CallRecord:
    """One API call that arrived here. Never holds a token, a secret or a code."""

    id: int
    at: float
    app_id: str
    method: str
    path: str
    status: int
    errcode: int
    errmsg: str
    latency_ms: int
    fault: str
    summary: str
