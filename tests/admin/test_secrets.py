"""Secrets go into the account form and never come out of any page."""

import base64

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from tests.cast import Cast
from wechat.admin.account_forms import is_aes_key
from wechat.models import Account

NEW_KEY = base64.b64encode(bytes(range(32))).decode()[:43].replace("+", "A").replace("/", "B")
STORED = ("cast-app-secret", "CastPushToken", "k3F9sQ1vYt7LmZ0xWc5RbN8uHgJ2dPaE4iOoTqVyB6M")


def change_url(cast: Cast) -> str:
    return reverse("admin:wechat_account_change", args=[cast.account_id])


def form(**values: str) -> dict[str, str]:
    fields = {"name": "素衣 SUYI", "original_id": "gh_cast00000001", "push_mode": "safe", "is_active": "on"}
    return fields | {"secret": "", "token": "", "key": ""} | values


def test_the_page_never_holds_a_stored_secret(desk: Client, cast: Cast) -> None:
    html = desk.get(change_url(cast)).content.decode()
    assert "已设置，留空不改" in html
    for secret in STORED:
        assert secret not in html


def test_a_refused_form_gives_back_neither_the_stored_nor_the_typed_secret(desk: Client, cast: Cast) -> None:
    answer = desk.post(
        change_url(cast), form(secret="TypedSecret0123456789", key="too-short", original_id="x")
    )
    assert answer.status_code == 200
    html = answer.content.decode()
    for secret in (*STORED, "TypedSecret0123456789", "too-short"):
        assert secret not in html
    assert Account.objects.get().app_secret == STORED[0]


def test_an_empty_secret_stays_as_it_is(desk: Client, cast: Cast) -> None:
    assert desk.post(change_url(cast), form(name="新名字")).status_code == 302
    account = Account.objects.get()
    assert (account.name, account.app_secret, account.push_token, account.aes_key) == ("新名字", *STORED)
    assert account.previous_aes_key == ""


def test_a_new_key_keeps_the_one_before_for_pushes_on_the_way(desk: Client, cast: Cast) -> None:
    desk.post(change_url(cast), form(key=NEW_KEY))
    account = Account.objects.get()
    assert (account.aes_key, account.previous_aes_key) == (NEW_KEY, STORED[2])
    # The same key again is no change: the previous one must not be lost to it.
    desk.post(change_url(cast), form(key=NEW_KEY))
    assert Account.objects.get().previous_aes_key == STORED[2]


def test_history_and_audit_name_the_fields_but_hold_no_secret(desk: Client, cast: Cast) -> None:
    desk.post(change_url(cast), form(secret="BrandNewSecret0123456789", token="NewToken123", key=NEW_KEY))
    entry = AuditEntry.objects.get(action="wechat.account.change")
    assert entry.details == {"fields": ["key", "secret", "token"]}
    written = f"{entry.details} {LogEntry.objects.get().change_message}"
    pages = [
        desk.get(reverse("admin:wechat_account_history", args=[cast.account_id])).content.decode(),
        desk.get(change_url(cast)).content.decode(),
        desk.get(reverse("admin:core_auditentry_changelist")).content.decode(),
        desk.get(reverse("admin:wechat_account_changelist")).content.decode(),
    ]
    for secret in (*STORED, "BrandNewSecret0123456789", "NewToken123", NEW_KEY):
        assert secret not in written
        assert all(secret not in page for page in pages)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", "ab"), ("token", "a" * 33), ("token", "with-dash"), ("token", "中文令牌"),
        ("key", "a" * 42), ("key", "a" * 44), ("key", "-" * 43), ("key", "中" * 43),
        ("secret", "short"), ("secret", "has blank in the middle"), ("original_id", "wx_123"),
    ],
)  # fmt: skip
def test_unusable_values_are_refused_at_their_field(desk: Client, cast: Cast, field: str, value: str) -> None:
    answer = desk.post(change_url(cast), form(**{field: value}))
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]


def test_a_new_account_needs_its_secrets_and_in_safe_mode_its_key(desk: Client, db: None) -> None:
    add = reverse("admin:wechat_account_add")
    fields = form(slug="main", kind="official", app_id="wx0123456789abcdef")
    assert set(desk.post(add, fields).context["adminform"].form.errors) == {"secret", "token", "key"}
    good = fields | {"secret": "Secret0123456789abcd", "token": "Token123"}
    assert set(desk.post(add, good).context["adminform"].form.errors) == {"key"}
    assert desk.post(add, good | {"push_mode": "plain"}).status_code == 302
    account = Account.objects.get(slug="main")
    assert (account.app_secret, account.push_token, account.aes_key) == (
        "Secret0123456789abcd",
        "Token123",
        "",
    )


def test_appid_slug_and_kind_are_fixed_once_the_account_exists(desk: Client, cast: Cast) -> None:
    desk.post(change_url(cast), form(app_id="wxffffffffffffffff", slug="other", kind="mini_program"))
    account = Account.objects.get()
    assert (account.app_id, account.slug, account.kind) == (cast.app_id, "cast", "official")


def test_an_account_cannot_be_deleted(desk: Client, cast: Cast) -> None:
    url = reverse("admin:wechat_account_delete", args=[cast.account_id])
    assert desk.post(url, {"post": "yes"}).status_code == 403


def test_the_callback_address_is_shown_to_copy(desk: Client, cast: Cast) -> None:
    assert "/wechat/callback/cast/" in desk.get(change_url(cast)).content.decode()


def test_the_key_check_takes_what_wechat_makes() -> None:
    assert is_aes_key(NEW_KEY)
    assert not is_aes_key("a" * 42)


def test_a_viewer_without_the_right_to_change_sees_no_secret_fields(cast: Cast) -> None:
    cast.regional.user_permissions.set(Permission.objects.filter(codename="view_account"))
    client = Client()
    client.force_login(cast.regional)
    html = client.get(change_url(cast)).content.decode()
    assert "素衣" in html
    for secret in STORED:
        assert secret not in html
