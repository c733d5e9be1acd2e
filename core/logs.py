"""Structured logs without personal data.

Code logs ids, codes and counts, never phones, openids or secrets. This module is the second line of defence:
the formatter writes one JSON object a line and blanks anything that looks like a Chinese mobile number, an
openid or unionid, or a credential in a URL.
"""

import datetime as dt
import json
import logging
import re
from typing import Any, Final

_PHONE: Final = re.compile(r"(?<!\d)(?:\+?86)?1[3-9]\d{9}(?!\d)")
_OPENID: Final = re.compile(r"(?<![0-9A-Za-z_-])o[0-9A-Za-z_-]{27}(?![0-9A-Za-z_-])")
_CREDENTIAL: Final = re.compile(
    r"(?i)\b(secret|appsecret|access_token|refresh_token|session_key|js_code|code|ticket|password)"
    r"(\"?\s*[=:]\s*\"?)([^&\s\"',}]{4,})"
)
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """The text with phones, openids and credentials blanked."""
    text = _PHONE.sub("[phone]", text)
    text = _OPENID.sub("[openid]", text)
    return _CREDENTIAL.sub(r"\1\2[secret]", text)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at, level, logger, message, then the record's extras; redacted."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in record.__dict__.items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, ensure_ascii=False, default=str))
