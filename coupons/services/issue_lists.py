"""A list of members that staff uploads for a bulk issue: one number a line, of whatever sort."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core import codes
from core.file_errors import FileGone, FileHasNoRows
from core.imports.contracts import BadValue
from core.models import StaffAccount
from core.tables import Table, open_table
from core.workbooks import safe_cells
from coupons.contracts import ListedMembers
from coupons.errors import OF_OUTCOME, ListTooLong, NoSuchJob
from coupons.models import IssueJob, IssueSlice
from coupons.selectors.audiences import own_member_ids
from members import selectors as member_selectors
from members.services.import_files import REASONS
from members.services.import_values import read_card, read_phone

MOST_LINES: Final = 100_000
MOST_MISSED: Final = 200_000
_CHUNK: Final = 5_000
_CODE_LENGTH: Final = 12
_OPENID: Final = re.compile(r"o[0-9A-Za-z_\-]{20,40}")
_HEADINGS: Final = ("手机", "电话", "会员码", "会员号", "卡号", "phone", "mobile")
LINE_WORDS: Final[dict[str, str | Promise]] = {
    "unknown": _("没有这位会员，或不归您查看"),
    "repeated": _("名单里重复，只发一次"),
    "several": _("这个卡号对应几位会员，请改用手机号或会员码"),
    "empty": _("这一行没有填"),
    "unreadable": _("认不出是手机号、会员码还是卡号"),
}


def read_issue_list(*, path: Path, staff: StaffAccount, app_id: str = "") -> ListedMembers:
    """Who stands on the list, of those whom the account sees, and which lines name nobody. The first column with a
    heading we know counts, else the first column; a first line that is a number itself counts as a line. With `app_id`,
    openids of that account name members too.

    Refuses more than 100,000 lines, and what `open_table` refuses.
    """
    bad: dict[int, str] = {}
    found: dict[int, int] = {}  # member → the line that named her
    count = 0
    with open_table(path) as table:
        lines = _texts(table)
        while chunk := list(islice(lines, _CHUNK)):
            count += len(chunk)
            if count > MOST_LINES:
                raise ListTooLong
            members = _look_up(chunk, bad, app_id)
            mine = set(own_member_ids(staff).filter(pk__in=set(members.values())))
            for line, member_id in members.items():
                if member_id not in mine:
                    bad[line] = "unknown"
                elif found.setdefault(member_id, line) != line:
                    bad[line] = "repeated"
    return ListedMembers(tuple(sorted(found)), dict(sorted(bad.items())), count)


def line_words(*, code: str) -> str:
    """What is wrong with a line."""
    words = LINE_WORDS.get(code)
    return str(words) if words is not None else REASONS[code]() if code in REASONS else code


def bad_line_rows(*, job_id: int) -> Iterator[list[str]]:
    """The lines of the list that are nobody, with the file's own cells and the reason; nothing is a formula. Raises
    FileGone when the list was deleted."""
    job = IssueJob.objects.filter(pk=job_id).first()
    if job is None:
        raise NoSuchJob
    path = Path(settings.IMPORT_ROOT) / job.stored_as
    if not job.stored_as or not path.is_file():
        raise FileGone
    reasons = {int(line): code for line, code in job.bad_lines.items()}
    with open_table(path) as table:
        width = len(table.headings)
        head = [str(_("列 %(n)s")) % {"n": n} for n in range(1, width + 1)]
        yield [*head, str(_("行号")), str(_("原因"))]
        for line, cells in _lines(table):
            if line in reasons:
                padded = [*cells, *[""] * width][:width]
                yield [*safe_cells(padded), str(line), line_words(code=reasons[line])]


def list_missed(*, job_id: int, staff: StaffAccount) -> Iterator[list[str]]:
    """Whom a bulk issue gave nothing, with the reason, of those whom the account sees: member code and phone tail. The
    first 200,000; a last line says so when there are more."""
    yield [str(_("会员码")), str(_("手机尾号")), str(_("原因"))]
    slices = IssueSlice.objects.filter(job_id=job_id, is_done=True).exclude(missed={}).order_by("number")
    told = 0
    for missed in slices.values_list("missed", flat=True).iterator(chunk_size=1):
        ids = [member_id for members in missed.values() for member_id in members]
        mine = own_member_ids(staff).filter(pk__in=ids)
        tails = member_selectors.list_member_tails(mine)
        for reason, members in sorted(missed.items()):
            words = missed_words(reason=reason)
            seen = [member_id for member_id in members if member_id in tails or staff.is_superuser]
            for member_id in seen:
                yield [*tails.get(member_id, (f"#{member_id}", "")), words]
            told += len(seen)
        if told >= MOST_MISSED:
            yield [str(_("只列出前 %(n)s 位") % {"n": f"{told:,}"}), "", ""]
            return


def missed_words(*, reason: str) -> str:
    """Why somebody got no coupon."""
    if reason == "erased":
        return str(_("已注销"))
    refusal = OF_OUTCOME.get(reason)
    return str(refusal.sentence) if refusal is not None else str(_("查无此人"))


def _lines(table: Table) -> Iterator[tuple[int, list[str]]]:
    """The first line too: a list of numbers often has no headings."""
    if not any(_is_heading(text) for text in table.headings):
        yield 1, ["" if text.startswith("#") else text for text in table.headings]
    try:
        yield from table.rows
    except FileHasNoRows:
        return


def _texts(table: Table) -> Iterator[tuple[int, str]]:
    place = next((at for at, text in enumerate(table.headings) if _is_heading(text)), 0)
    for line, cells in _lines(table):
        yield line, cells[place].strip().removeprefix("'") if place < len(cells) else ""


def _is_heading(text: str) -> bool:
    named = any(word in text.lower() for word in _HEADINGS)
    return named and not any(sign.isdecimal() for sign in text)


def _look_up(chunk: list[tuple[int, str]], bad: dict[int, str], app_id: str) -> dict[int, int]:
    """The member of each line that names one; the others go to `bad`."""
    phones: dict[int, str] = {}
    member_codes: dict[int, str] = {}
    cards: dict[int, str] = {}
    openids: dict[int, str] = {}
    for line, text in chunk:
        if app_id and _OPENID.fullmatch(text):
            openids[line] = text
            continue
        try:
            _sort(line, text, phones, member_codes, cards)
        except BadValue as problem:
            bad[line] = problem.code
    by_phone, by_code, by_card = member_selectors.find_listed_members(
        phones=set(phones.values()), codes=set(member_codes.values()), cards=set(cards.values())
    )
    by_openid = member_selectors.list_openid_owners(set(openids.values()), app_id) if openids else {}
    members: dict[int, int] = {}
    named = ((phones, by_phone), (member_codes, by_code), (cards, by_card), (openids, by_openid))
    for texts, found in named:
        for line, text in texts.items():
            if text not in found:
                bad[line] = "unknown"
            elif found[text] == member_selectors.SEVERAL:
                bad[line] = "several"
            else:
                members[line] = found[text]
    return dict(sorted(members.items()))


def _sort(
    line: int, text: str, phones: dict[int, str], member_codes: dict[int, str], cards: dict[int, str]
) -> None:
    """What the text is: a phone by its digits, a member code by its check character, else a card number."""
    if not text:
        raise BadValue("empty")
    code = codes.normalize(text)
    if codes.is_code(code, _CODE_LENGTH):
        member_codes[line] = code
        return
    try:
        phones[line] = read_phone(text)
    except BadValue as problem:
        if problem.code != "phone_unusable":
            raise
        cards[line] = _read_card(text)


def _read_card(text: str) -> str:
    try:
        return read_card(text)
    except BadValue as problem:
        raise BadValue("unreadable" if problem.code == "card_unusable" else problem.code) from None
