"""Lists of people for a mass message: uploaded, or pasted one a line."""

import io
import re
from typing import IO, Final

from core.models import StaffAccount
from core.uploads import drop_file, keep_file, kept_path
from coupons.contracts import ListedMembers
from coupons.services import read_issue_list

_MOST_BYTES: Final = 5 * 1024 * 1024
_BETWEEN: Final = re.compile(r"[\s,;，；、]+")


def read_mass_list(*, stream: IO[bytes], staff: StaffAccount, app_id: str) -> ListedMembers:
    """Whom the file names, of those whom the account sees: by phone, member code, card number, or openid of that official
    account. The file is not kept. Raises what reading a table raises, and FileTooLarge over 5 MB."""
    name, _digest = keep_file(stream, most_bytes=_MOST_BYTES)
    try:
        return read_issue_list(path=kept_path(name), staff=staff, app_id=app_id)
    finally:
        drop_file(name)


def read_pasted_list(*, text: str, staff: StaffAccount, app_id: str) -> ListedMembers:
    """The same of a pasted text; numbers are parted by line ends, blanks, commas or semicolons."""
    numbers = [part for part in _BETWEEN.split(text.replace("\0", "")) if part]
    return read_mass_list(
        stream=io.BytesIO("\n".join(numbers).encode("utf-8", "replace")), staff=staff, app_id=app_id
    )
