"""The world as the stand-in knows it: accounts, people, codes, logs. One instance per process."""

import asyncio
import secrets
from collections import deque
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import Any

from sandbox.clock import Clock
from sandbox.errors import ScriptError
from sandbox.identity import openid_of, person_id_of, phone_of, unionid_of
from sandbox.models import (
    Account,
    CallRecord,
    Fault,
    Media,
    MiniCode,
    OAuthCode,
    OAuthGrant,
    Person,
    Push,
    QrCode,
    Regular,
    SealedData,
    Settings,
    SmsAccount,
    TextMessage,
    Tie,
)
from sandbox.stream import Hub

LOG_SIZE = 5000
CHAT_SIZE = 300
BEIJING = timezone(timedelta(hours=8))


class World:
    """All state, and the few lookups everything else is built from."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.hub = Hub()
        self.closing = asyncio.Event()
        self.is_dirty = False
        self.wipe()

    def wipe(self) -> None:
        """Forget everything: people, accounts, codes, logs, faults, settings, clock."""
        self.settings = Settings()
        self.accounts: dict[str, Account] = {}
        self.people: dict[str, Person] = {}
        self.regulars: dict[str, Regular] = {}
        self._regular_by_openid: dict[tuple[str, str], str] | None = None
        self.codes: dict[str, QrCode] = {}
        self.media: dict[str, Media] = {}
        self.oauth_codes: dict[str, OAuthCode] = {}
        self.oauth_grants: dict[str, OAuthGrant] = {}
        self.login_codes: dict[str, MiniCode] = {}
        self.phone_codes: dict[str, MiniCode] = {}
        self.sealed: dict[str, SealedData] = {}
        self.sms_keys: dict[str, SmsAccount] = {}
        self.texts: dict[str, TextMessage] = {}
        self.faults: dict[str, Fault] = {}
        self.pushes: deque[Push] = deque(maxlen=LOG_SIZE)
        self.calls: deque[CallRecord] = deque(maxlen=LOG_SIZE)
        self.serials: dict[str, int] = {}
        self._ticket_by_url: dict[str, str] = {}
        self._person_by_openid: dict[tuple[str, str], str] = {}
        self.clock.reset()
        self.touch()

    def touch(self) -> None:
        """Note that something changed and is worth saving."""
        self.is_dirty = True

    def now(self) -> float:
        """Return the present by the movable clock."""
        return self.clock.now()

    def beijing_day(self) -> str:
        """Return today's date in Beijing, where daily quotas are reset at midnight."""
        return datetime.fromtimestamp(self.now(), BEIJING).date().isoformat()

    def serial(self, name: str) -> int:
        """Return the next number of a named series, starting at 1."""
        self.serials[name] = self.serials.get(name, 0) + 1
        return self.serials[name]

    # Accounts

    def account(self, app_id: object) -> Account:
        """Return the account or refuse the script's request."""
        if not isinstance(app_id, str) or app_id not in self.accounts:
            raise ScriptError("unknown_account", f"没有这个账号：{app_id}", 404)
        return self.accounts[app_id]

    def add_account(self, account: Account) -> None:
        """Keep an account and learn everybody's openid for it."""
        self.accounts[account.app_id] = account
        self.forget_regular_index()
        for person in self.people.values():
            self._person_by_openid[account.app_id, openid_of(person.key, account.app_id)] = person.id

    # People

    def person(self, person_id: object) -> Person:
        """Return the person or refuse the script's request."""
        if not isinstance(person_id, str) or person_id not in self.people:
            raise ScriptError("unknown_person", f"没有这个人：{person_id}", 404)
        return self.people[person_id]

    def add_person(self, *, name: str, key: str | None, phone: str | None, is_snapshot: bool) -> Person:
        """Create someone, or return the one who was created with the same key."""
        key = key or secrets.token_hex(8)
        person_id = person_id_of(key)
        if person_id in self.people:
            return self.people[person_id]
        person = Person(person_id, key, name, phone or phone_of(key), is_snapshot, self.now())
        self.remember_person(person)
        return person

    def remember_person(self, person: Person) -> None:
        """Keep a person and index her openids."""
        self.people[person.id] = person
        for app_id in self.accounts:
            self._person_by_openid[app_id, openid_of(person.key, app_id)] = person.id

    def forget_person(self, person: Person) -> None:
        """Remove a person; her openids become invalid."""
        del self.people[person.id]
        self._person_by_openid = {k: v for k, v in self._person_by_openid.items() if v != person.id}

    def person_by_openid(self, app_id: str, openid: object) -> Person | None:
        """Return whom this account knows by that openid. A follower who was a line in the table becomes a person."""
        if not isinstance(openid, str):
            return None
        person_id = self._person_by_openid.get((app_id, openid))
        if person_id is not None:
            return self.people.get(person_id)
        regular = self.regular_by_openid(app_id, openid)
        return None if regular is None else self._meet(regular)

    # Followers beyond the cast, see sandbox.regulars

    def knows_key(self, key: str) -> bool:
        """Tell whether somebody has this key."""
        return key in self.regulars or person_id_of(key) in self.people

    def forget_regular_index(self) -> None:
        """The openids of the table are computed again when one is asked for."""
        self._regular_by_openid = None

    def regular_by_openid(self, app_id: str, openid: object) -> Regular | None:
        """Return the line of the table whose openid in this account it is; None for a person."""
        if not isinstance(openid, str) or not self.regulars:
            return None
        if self._regular_by_openid is None:
            self._regular_by_openid = {
                (app, openid_of(key, app)): key for key in self.regulars for app in self.accounts
            }
        return self.regulars.get(self._regular_by_openid.get((app_id, openid), ""))

    def _meet(self, regular: Regular) -> Person:
        person = Person(
            person_id_of(regular.key),
            regular.key,
            regular.name,
            phone_of(regular.key),
            created_at=self.now(),
            is_regular=True,
        )
        person.ties[regular.app_id] = regular.tie()
        del self.regulars[regular.key]
        self.remember_person(person)
        return person

    def cast(self) -> list[Person]:
        """Return the people whom somebody plays."""
        return [person for person in self.people.values() if not person.is_regular]

    def tie(self, person: Person, app_id: str) -> Tie:
        """Return what is between person and account, created on first use."""
        return person.ties.setdefault(app_id, Tie())

    def unionid(self, person: Person, account: Account) -> str | None:
        """Return the unionid, which exists only for accounts bound to an Open Platform account."""
        return unionid_of(person.key, account.open_platform) if account.open_platform else None

    def describe_person(self, person: Person) -> dict[str, Any]:
        """Return the person as the scripting API shows her."""
        platforms = sorted({a.open_platform for a in self.accounts.values() if a.open_platform})
        unionids = {platform: unionid_of(person.key, platform) for platform in platforms}
        return {
            "id": person.id,
            "key": person.key,
            "name": person.name,
            "phone": person.phone,
            "is_snapshot": person.is_snapshot,
            "is_high_risk": person.is_high_risk,
            "unionid": next(iter(unionids.values()), None),
            "unionids": unionids,
            "openids": {app_id: openid_of(person.key, app_id) for app_id in self.accounts},
            "follows": {
                app_id: {
                    "subscribe": tie.is_following,
                    "subscribed_at": tie.followed_at or None,
                    "blocked": tie.is_blocked,
                    "tag_ids": tie.tag_ids,
                }
                for app_id, tie in person.ties.items()
            },
        }

    def add_bubble(self, person: Person, app_id: str, *, side: str, via: str, kind: str, **body: Any) -> None:
        """Put something into the chat between person and account and tell the consoles."""
        number = self.serial("bubble")
        bubble = {"id": number, "at": self.now(), "side": side, "via": via, "kind": kind, **body}
        chat = self.tie(person, app_id).chat
        chat.append(bubble)
        del chat[:-CHAT_SIZE]
        self.touch()
        self.hub.publish("chat", {"person_id": person.id, "app_id": app_id, "bubble": bubble})

    def publish_person(self, person: Person) -> None:
        """Tell the consoles that a person changed."""
        self.touch()
        self.hub.publish("person", self.describe_person(person))

    # Codes

    def add_code(self, code: QrCode) -> None:
        """Keep a QR code, findable by ticket and by the URL inside the picture."""
        self.codes[code.ticket] = code
        self._ticket_by_url[code.url] = code.ticket

    def find_code(self, content: str) -> QrCode | None:
        """Return the code whose URL or ticket this is."""
        return self.codes.get(self._ticket_by_url.get(content, content))

    # Logs

    def log_call(self, record: CallRecord) -> None:
        """Write an API call to the log and show it."""
        self.calls.append(record)
        self.hub.publish("call", asdict(record))

    def publish_push(self, push: Push) -> None:
        """Show a push in its present state."""
        self.touch()
        self.hub.publish("push", asdict(push))
