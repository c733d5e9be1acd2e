"""The life of an import: killed, paused, stopped, doubled, raced, forgotten; and the questions it asks."""

import datetime as dt
import functools
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from core import clock, crypto
from core.errors import Refusal
from members import selectors, services
from members.models import (
    ImportCandidate,
    ImportJob,
    ImportProblem,
    ImportRow,
    Member,
    MemberAddress,
    MemberIdentity,
    PointsEntry,
)
from members.services import import_running, import_staging
from members.services.holdings_imports import ImportHoldings
from tests.members.import_kit import (
    STAFF,
    check,
    counts,
    expected,
    people,
    person,
    phone,
    run,
    take_over,
    text_of,
    upload,
)
from tests.threads import at_once


def code_of(call: Any, **values: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        call(**values, actor=STAFF)
    return refusal.value.code


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks and batches of three rows."""
    monkeypatch.setattr(import_staging, "CHUNK", 3)
    monkeypatch.setattr(import_running, "BATCH", 3)


@pytest.mark.django_db
def test_too_many_words_in_the_tag_column_fail_the_job() -> None:
    lines = [[phone(n), f"备注{n}"] for n in range(301)]
    job = check(upload(text_of(lines, ("手机号", "标签"))), tag_group="备注")
    assert (job.state, job.failure) == ("failed", "members.import_too_many_tags")


def totals() -> tuple[int, ...]:
    models = (Member, MemberIdentity, MemberAddress, PointsEntry)
    return tuple(model.objects.count() for model in models)


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_people_in_opposite_order_end_like_one(small: None) -> None:
    headings = ("手机号", "会员卡号", "姓名", "积分")
    lines = [[phone(n % 9), f"C{n}", f"王小{n % 9}", n] for n in range(18)]
    jobs = [check(upload(text_of(some, headings))) for some in (lines, lines[::-1])]
    for job in jobs:
        services.start_import(job_id=job.pk, actor=STAFF)
    calls = [lambda job_id=job.pk: services.work_import(job_id) for job in (*jobs, jobs[0])]
    answers = at_once(calls)
    assert sorted(str(answer) for answer in answers) in (
        ["None", "finished", "finished"],
        ["finished"] * 2 + ["None"],
    )
    assert totals() == (9, 27, 0, 17)
    assert all(job.state == "finished" for job in ImportJob.objects.all())
    made = [counts(job).created for job in ImportJob.objects.all()]
    assert sum(made) == 9


@pytest.mark.django_db(transaction=True)
def test_a_till_that_registers_the_same_phone_at_that_moment_makes_no_second_member(small: None) -> None:
    job = check(upload(text_of(people(6))))
    services.start_import(job_id=job.pk, actor=STAFF)

    def till(number: int) -> Any:
        return services.register_member(name="王芳", phone=phone(number), source="pos", actor=STAFF)

    answers = at_once([lambda: services.work_import(job.pk), *(lambda n=n: till(n) for n in range(6))])
    assert answers[0] == "finished"
    assert {getattr(answer, "code", "") for answer in answers[1:] if isinstance(answer, Exception)} <= {
        "members.phone_already_registered"
    }
    assert Member.objects.count() == 6
    assert counts(ImportJob.objects.get()).candidates == 0


@pytest.fixture
def asked(db: None) -> tuple[ImportJob, Member]:
    """王小美 is known by her birthday; a row with another phone looks like her."""
    card = services.register_member(
        name="王小美", phone=phone(1), source="pos", birthday=dt.date(1990, 5, 1), actor=STAFF
    )
    job = take_over([person(2, 姓名="王小美", 生日="1990-05-01"), person(3)])
    return job, Member.objects.get(pk=card.id)


def question() -> ImportCandidate:
    return ImportCandidate.objects.get()


def decide(decision: Any, candidate_id: int | None = None) -> None:
    services.decide_candidate(candidate_id=candidate_id or question().pk, decision=decision, actor=STAFF)


def test_a_likeness_is_a_question_with_both_sides(asked: tuple[ImportJob, Member]) -> None:
    job, member = asked
    assert (counts(job).candidates, counts(job).created, job.state) == (1, 1, "finished")
    card = selectors.find_next_candidate(job_id=job.pk)
    assert card is not None
    assert (card.why, card.member.id, card.row[0], card.hers[0]) == (
        "name_birthday",
        member.pk,
        "王小美",
        "王小美",
    )
    assert phone(2) not in str(card)


def test_the_same_person_gets_what_the_row_says(asked: tuple[ImportJob, Member]) -> None:
    _job, member = asked
    decide("same")
    member.refresh_from_db()
    assert (member.phone, member.gender) == (phone(1), "female")
    assert selectors.find_member_id("pos_card", "", "C000002") == member.pk
    assert selectors.find_member_id("phone", "", phone(2)) is None
    assert not ImportRow.objects.exists()
    decide("same")
    assert code_of(services.decide_candidate, candidate_id=question().pk, decision="different") == (
        "members.candidate_decided"
    )


def test_another_person_becomes_a_member_and_is_not_asked_about_again(
    asked: tuple[ImportJob, Member],
) -> None:
    decide("different")
    assert selectors.find_member_id("phone", "", phone(2)) not in (None, asked[1].pk)
    again = take_over([person(2, 姓名="王小美", 生日="1990-05-01")])
    assert (counts(again).unchanged, counts(again).candidates) == (1, 0)


def test_a_row_put_aside_stays_aside_in_later_files(asked: tuple[ImportJob, Member]) -> None:
    decide("skipped")
    again = take_over([person(2, 姓名="王小美", 生日="1990-05-01")])
    assert (counts(again).known, Member.objects.count()) == (1, 2)


def test_a_waiting_question_is_not_asked_twice(asked: tuple[ImportJob, Member]) -> None:
    again = check(upload(text_of([person(2, 姓名="王小美", 生日="1990-05-01")])))
    assert again.expected["known"] == 1
    assert counts(run(again.pk)).known == 1
    assert ImportCandidate.objects.count() == 1


@pytest.mark.django_db
def test_identities_of_two_members_are_a_question_and_stay_theirs() -> None:
    take_over([person(1), person(2)])
    first, second = (selectors.find_member_id("phone", "", phone(number)) for number in (1, 2))
    job = take_over(
        [person(1, 会员卡号="C000002", 姓名="某人"), person(3, 手机号=phone(9), 会员卡号="C000001")]
    )
    assert (counts(job).candidates, ImportCandidate.objects.filter(why="two_owners").count()) == (2, 2)
    for candidate in ImportCandidate.objects.all():
        decide("different", candidate.pk)
    assert selectors.find_member_id("phone", "", phone(1)) == first
    assert selectors.find_member_id("pos_card", "", "C000002") == second
    new = Member.objects.get(phone_tail="0009")
    assert (new.phone, Member.objects.count()) == (phone(9), 3)


@pytest.mark.django_db
def test_name_and_address_are_compared_in_full() -> None:
    headings = ("手机号", "姓名", "地址")
    take_over([[phone(1), "王小美", "上海市徐汇区漕溪路1号"]], headings)
    lines = [[phone(2), "王小美", "上海市徐汇区漕溪路1号"], [phone(3), "王小美", "上海市徐汇区漕溪路9号"]]
    assert (counts(take_over(lines, headings)).candidates, question().why) == (1, "name_address")


@pytest.mark.django_db
def test_streets_of_a_common_name_are_opened_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of rows and members who share a name and a district the sum is read, not the product."""
    headings = ("手机号", "姓名", "地址")
    take_over([[phone(n), "王小美", f"上海市徐汇区漕溪路{n}号"] for n in range(1, 41)], headings)
    opened: list[str] = []

    def counted(sealed: str, **where: Any) -> str:
        opened.append(sealed)
        return unseal(sealed, **where)

    unseal = crypto.unseal
    monkeypatch.setattr("members.services.import_matching.crypto.unseal", counted)
    again = check(
        upload(
            text_of([[phone(100 + n), "王小美", f"上海市徐汇区漕溪路{n}号"] for n in range(21, 51)], headings)
        )
    )
    assert expected(again).candidates == 20
    assert len(opened) == 40 + 30


@pytest.mark.django_db(transaction=True)
def test_two_people_who_decide_at_once_decide_once(asked: tuple[ImportJob, Member]) -> None:
    candidate_id = question().pk
    answers = at_once(
        [functools.partial(decide, d, candidate_id) for d in ("same", "different", "same", "different")]
    )
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refused) == 2
    assert {refusal.code for refusal in refused} == {"members.candidate_decided"}
    assert Member.objects.count() == (2 if question().state == "same" else 3)


def test_merging_erasing_and_exporting_reach_the_questions(asked: tuple[ImportJob, Member]) -> None:
    _job, member = asked
    other = services.register_member(name="王美", phone=phone(8), source="pos", actor=STAFF)
    holdings, now = ImportHoldings(), clock.now()
    assert holdings.preview(survivor_id=other.id, emptier_id=member.pk)[0].outcome == "1"
    who: dict[str, Any] = {"emptier_id": member.pk, "survivor_id": other.id, "actor": STAFF, "at": now}
    snapshot = json.loads(json.dumps(holdings.move(**who)))
    assert question().member_id == other.id
    holdings.restore(**who, snapshot=snapshot)
    assert question().member_id == member.pk
    assert holdings.export(member.pk)
    assert holdings.erase(member_id=member.pk, actor=STAFF, at=now) == 1
    assert (ImportCandidate.objects.count(), ImportRow.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_no_phone_lies_open_in_any_table_of_an_import(asked: tuple[ImportJob, Member]) -> None:
    check(upload(text_of([person(5), person(6, 手机号="1391")])))
    shown = str(
        [list(model.objects.values()) for model in (ImportJob, ImportRow, ImportProblem, ImportCandidate)]
    )
    assert phone(2) not in shown
    assert phone(5) not in shown
    assert "王小美" not in shown


@pytest.mark.django_db
def test_uploaded_files_lie_outside_what_is_served() -> None:
    path = Path(settings.IMPORT_ROOT) / take_over([person(1)]).stored_as
    assert path.is_file()
    assert Path(settings.MEDIA_ROOT).resolve() not in path.resolve().parents


@pytest.mark.django_db
def test_the_command_takes_columns_by_their_headings(tmp_path: Path) -> None:
    path, mapping = tmp_path / "m.csv", tmp_path / "map.json"
    path.write_text(text_of([person(1)]), encoding="utf-8")
    mapping.write_text(json.dumps({"columns": {"手机号": "phone", "姓名": "name"}}), encoding="utf-8")
    call_command(
        "import_members", str(path), mapping=str(mapping), stdout=io.StringIO(), stderr=io.StringIO()
    )
    assert (Member.objects.get().gender, MemberIdentity.objects.count()) == ("", 1)
