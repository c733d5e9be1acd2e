"""Throwing an old key away: everything comes under the new one, beside writers, and nothing is lost."""

import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core import crypto, resealing
from members import services
from members.models import Member
from tests.cast import DIRECTOR
from wechat.models import Account

OLD, NEW = (f"{name}:{crypto.new_key()}" for name in ("old", "new"))


@pytest.fixture
def rotated(settings: Any, transactional_db: None) -> Any:
    """Forty members sealed under the old key; the new one stands in front now."""
    settings.FIELD_KEYS = [OLD]
    for number in range(40):
        services.register_member(name=f"小雅{number}", phone=f"139{number:08d}", source="pos", actor=DIRECTOR)
    settings.FIELD_KEYS = [NEW, OLD]
    return settings


def stored() -> dict[int, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, phone, name FROM members_member")
        return {pk: (phone, name) for pk, phone, name in cursor.fetchall()}


def test_every_sealed_column_is_found_by_looking_at_the_models() -> None:
    labels = {column.label for column in resealing.list_sealed_columns()}
    assert {"members.Member.phone", "members.Member.name", "members.MemberAddress.street"} <= labels
    assert {"wechat.Account.app_secret", "wechat.AccessToken.value", "guides.GuideRemark.name"} <= labels


def test_after_a_run_the_old_key_may_go(rotated: Any) -> None:
    counts = {(line.label, line.key_id): line.count for line in resealing.count_keys()}
    assert counts["members.Member.phone", "old"] == 40
    run = resealing.reseal()
    assert (run.done_count, run.unreadable_count, run.is_finished) == (80, 0, True)
    assert all(line.is_current for line in resealing.count_keys())
    rotated.FIELD_KEYS = [NEW]
    assert {member.phone for member in Member.objects.all()} == {f"139{n:08d}" for n in range(40)}
    before = stored()
    assert resealing.reseal().done_count == 0
    assert stored() == before


def test_it_runs_beside_a_writer_and_neither_loses(rotated: Any) -> None:
    members = list(Member.objects.order_by("pk").values_list("pk", flat=True))
    stop, faults = threading.Event(), []
    written: dict[int, str] = {}

    def write() -> None:
        number = 0
        try:
            while not stop.is_set() or number < len(members):
                pk = members[number % len(members)]
                name = f"改名{number}"
                services.rename_member(member_id=pk, name=name, actor=DIRECTOR)
                written[pk] = name
                number += 1
        except Exception as error:
            faults.append(error)
        finally:
            connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    run = resealing.reseal()
    stop.set()
    writer.join(timeout=60)
    assert faults == []
    assert run.is_finished
    rotated.FIELD_KEYS = [NEW]
    assert {member.pk: member.name for member in Member.objects.all()} == written


def test_a_row_that_somebody_holds_is_waited_for_without_blocking_anybody(rotated: Any) -> None:
    held, release = threading.Event(), threading.Event()
    first = Member.objects.order_by("pk").values_list("pk", flat=True)[0]

    def hold() -> None:
        from django.db import transaction

        with transaction.atomic():
            Member.objects.lock(first)
            held.set()
            release.wait(timeout=60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(timeout=30)
    seen: list[str] = []

    def report(label: str, count: int) -> None:
        seen.append(label)
        release.set()  # the others are done although one row is held

    assert resealing.reseal(report=report).is_finished
    holder.join(timeout=30)
    assert "members.Member.phone" in seen
    assert all(line.is_current for line in resealing.count_keys())


def test_it_may_stop_and_be_run_again(rotated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resealing, "BATCH", 10)
    assert not resealing.reseal(limit_s=-1).is_finished

    def stop_after_one(label: str, count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resealing.reseal(report=stop_after_one)
    assert resealing.reseal().done_count == 70


def test_a_text_whose_key_is_gone_is_counted_and_left(rotated: Any) -> None:
    Account.objects.create(
        slug="a", name="a", app_id="wxa", original_id="gh_a", app_secret="s", push_token="abc"
    )
    with connection.cursor() as cursor:
        cursor.execute("UPDATE wechat_account SET app_secret = 'lost.AAAA'")
    run = resealing.reseal()
    assert (run.unreadable_count, run.is_finished) == (1, True)
    with pytest.raises(CommandError, match="not in FIELD_KEYS"):
        call_command("reseal", stdout=StringIO())
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("reseal", "--check", stdout=out)
    assert "wechat.Account.app_secret  key lost: 1  (old)" in out.getvalue()


def test_the_command_tells_progress_and_what_each_key_still_seals(rotated: Any) -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("reseal", "--check", stdout=out)
    assert stopped.value.code == 1
    assert "members.Member.phone  key old: 40  (old)" in out.getvalue()
    out = StringIO()
    call_command("reseal", stdout=out)
    assert "80 sealed anew" in out.getvalue()
    assert "every text is under the first key" in out.getvalue()
    assert "139" not in out.getvalue()
