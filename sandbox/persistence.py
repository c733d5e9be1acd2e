"""Saving the world to one JSON file and reading it back: written aside, then renamed, so never half."""

import asyncio
import json
import logging
import os
import time
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from sandbox.models import (
    Account,
    Fault,
    Media,
    MiniCode,
    OAuthCode,
    OAuthGrant,
    Person,
    QrCode,
    Regular,
    SealedData,
    Settings,
    SmsAccount,
    TextMessage,
)
from sandbox.state import World

log = logging.getLogger("sandbox")
FORMAT = 1
DEBOUNCE_S = 0.5
SAVING_SHARE = 20  # at most a twentieth of the time is spent on saving
T = TypeVar("T")

TABLES: dict[str, type] = {
    "people": Person,
    "regulars": Regular,
    "accounts": Account,
    "codes": QrCode,
    "media": Media,
    "oauth_codes": OAuthCode,
    "oauth_grants": OAuthGrant,
    "login_codes": MiniCode,
    "phone_codes": MiniCode,
    "sealed": SealedData,
    "sms_keys": SmsAccount,
    "texts": TextMessage,
    "faults": Fault,
}


def _revive(hint: Any, value: Any) -> Any:
    """Rebuild a value of the annotated type from its JSON form."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return None if value is None else _revive(kinds[0], value)
    if origin is list:
        return [_revive(get_args(hint)[0], item) for item in value]
    if origin is tuple:
        return tuple(value)
    if origin is dict:
        return {key: _revive(get_args(hint)[1], item) for key, item in value.items()}
    if isinstance(hint, type) and is_dataclass(hint):
        return revive(hint, value)
    return value


def revive(kind: type[T], data: dict[str, Any]) -> T:
    """Rebuild a dataclass from `asdict` output, ignoring keys it no longer has."""
    hints = get_type_hints(kind)
    known = {item.name for item in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _revive(hints[name], value) for name, value in data.items() if name in known})


def dump(world: World) -> dict[str, Any]:
    """Return everything worth keeping as JSON types. Logs are not kept; serial numbers are."""
    tables = {name: {key: asdict(row) for key, row in getattr(world, name).items()} for name in TABLES}
    return {
        "format": FORMAT,
        "clock_offset": world.clock.offset,
        "settings": asdict(world.settings),
        "serials": world.serials,
        **tables,
    }


def restore(world: World, data: dict[str, Any]) -> None:
    """Fill an empty world from a snapshot; a table that an older snapshot does not have stays empty."""
    if data.get("format") != FORMAT:
        raise ValueError(f"snapshot format {data.get('format')!r} is not {FORMAT}")
    rows: dict[str, dict[str, Any]] = {
        name: {key: revive(kind, row) for key, row in data.get(name, {}).items()}
        for name, kind in TABLES.items()
    }
    world.wipe()
    world.clock.offset = data["clock_offset"]
    world.settings = revive(Settings, data["settings"])
    world.serials = data["serials"]
    for name in TABLES.keys() - {"accounts", "people", "codes"}:
        setattr(world, name, rows[name])
    for account in rows["accounts"].values():
        world.add_account(account)
    for person in rows["people"].values():
        world.remember_person(person)
    for code in rows["codes"].values():
        world.add_code(code)
    world.is_dirty = False


class StateFile:
    """Keeps a file in step with the world, a little behind it."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path

    def load(self) -> None:
        """Read the file if there is one; a file that cannot be read is put aside, not overwritten."""
        if not self.path.exists():
            return
        try:
            restore(self.world, json.loads(self.path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            aside = self.path.with_suffix(self.path.suffix + ".unreadable")
            self.path.replace(aside)
            log.warning("the saved state could not be read (%s); it was moved to %s", error, aside)
            self.world.wipe()

    def save(self) -> None:
        """Write the snapshot to a temporary file and rename it over the old one."""
        self.world.is_dirty = False
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(self.path.suffix + ".tmp")
        aside.write_text(json.dumps(dump(self.world), ensure_ascii=False), encoding="utf-8")
        os.chmod(aside, 0o600)
        os.replace(aside, self.path)

    async def keep_saving(self) -> None:
        """Save soon after each change until cancelled; a large world is saved less often."""
        pause_s = DEBOUNCE_S
        while True:
            await asyncio.sleep(pause_s)
            if self.world.is_dirty:
                started = time.perf_counter()
                self.save()
                pause_s = max(DEBOUNCE_S, SAVING_SHARE * (time.perf_counter() - started))
