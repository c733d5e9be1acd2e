"""Pages of openids, as WeChat lists followers and those who carry a tag."""

import re
from typing import Any, Final

from wechat.client.errors import UnreadableAnswer

_OPENID: Final = re.compile(r"[0-9A-Za-z_\-]{1,64}")


def read_openid_page(answer: Any, *, path: str, counter: str) -> tuple[list[str], int, str]:
    """The openids, the number under `counter`, and where to read on. Past the end there is no `data`. Raises
    UnreadableAnswer for anything else."""
    if not isinstance(answer, dict) or not isinstance(answer.get(counter), int):
        raise UnreadableAnswer(path, errmsg="no list of followers")
    data = answer.get("data") or {}
    openids = data.get("openid", []) if isinstance(data, dict) else None
    if not isinstance(openids, list) or not all(
        isinstance(one, str) and _OPENID.fullmatch(one) for one in openids
    ):
        raise UnreadableAnswer(path, errmsg="an openid that is none")
    next_openid = answer.get("next_openid")
    unique = list(dict.fromkeys(openids))
    return unique, answer[counter], next_openid if isinstance(next_openid, str) else ""
