"""Fault 12 in the admin: no file that leaves it, and no log line, has a phone or an openid that somebody planted."""

import io
import logging
import re
import zipfile
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from core.actor import Actor
from core.admin import Exports
from core.logs import JsonFormatter
from core.models import StaffAccount
from members import services
from members.models import ImportJob
from sales import services as sales_services
from tests.cast import DIRECTOR, Cast
from tests.members.import_kit import check, person, phone, text_of
from tests.sales.reviews_kit import make_review

WHOLE = re.compile(r"(?<![\d.])1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
OPENID = re.compile(r"(?<![\w-])o(?:xiaomei|xiaoli)[\w-]{10,}")
LISTS = sorted(
    (page for page in admin.site._registry.values() if isinstance(page, Exports)),
    key=lambda page: page.opts.label,
)


def written_in(answer: Any) -> str:
    """Everything that stands in a file, in whatever corner of it."""
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


@pytest.mark.parametrize("page", LISTS, ids=lambda page: page.opts.label)
def test_no_list_is_exported_with_a_phone_or_an_openid(desk: Client, full_chain: Cast, page: Any) -> None:
    if page.opts.label == "sales.Review":
        _review_with_a_phone(full_chain)
    answer = desk.get(reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_export"))
    assert answer.status_code == 200
    text = written_in(answer)
    if page.opts.label == "sales.Review":
        assert "139 **** 5678 找我" in text  # the search looks where words stand
    assert WHOLE.findall(re.sub(r"<[^>]+>", "\n", text)) == []
    assert OPENID.findall(text) == []


def _review_with_a_phone(chain: Cast) -> None:
    review = make_review(chain.xiaomei, "PHONE")
    sales_services.answer_review(
        member_id=chain.xiaomei.id, public_id=review.public_id, score=5, words="打 139 1234 5678 找我",
        actor=Actor.member(chain.xiaomei.id),
    )  # fmt: skip


def test_bad_rows_go_back_to_whoever_sent_them_and_to_nobody_else(desk: Client, cast: Cast) -> None:
    rows = [person(1), person(2, 生日="没有这天"), person(3)]
    desk.post(
        reverse("admin:members_importjob_add"),
        {"file": SimpleUploadedFile("名单.csv", text_of(rows).encode())},
    )
    job = check(ImportJob.objects.get().pk)
    errors = reverse("admin:members_import_errors", args=[job.pk])
    page = reverse("admin:members_importjob_change", args=[job.pk])
    hers = written_in(desk.get(errors))
    assert phone(2) in hers
    assert phone(1) not in hers
    assert phone(3) not in hers
    assert errors in desk.get(page).content.decode()

    colleague = Client()
    colleague.force_login(StaffAccount.objects.create_superuser("colleague"))
    assert colleague.get(errors).status_code == 403
    shown = colleague.get(page).content.decode()
    assert errors not in shown
    assert "只有上传这个文件的账号可以下载" in shown
    assert not WHOLE.search(shown)


def test_what_staff_search_for_is_in_no_log_when_the_page_breaks(
    desk: Client, cast: Cast, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    openid = "oplanted_openid_000000000001"

    def broken(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError(f"no room for {phone(7)} of {openid}")

    services.register_member(name="王芳", phone=phone(7), source="pos", actor=DIRECTOR)
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr("members.selectors.search_member_ids", broken)
    desk.raise_request_exception = False
    answer = desk.get(reverse("admin:members_member_changelist"), {"q": phone(7)})
    assert answer.status_code == 500
    assert phone(7) not in answer.content.decode()
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert any("RuntimeError" in line for line in lines)
    assert [line for line in lines if phone(7) in line or openid in line] == []
