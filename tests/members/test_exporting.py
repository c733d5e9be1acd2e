"""A copy of everything about a member: all parts, both rows, readable, and no way around the reveal's limits."""

import io
import json
import re
import zipfile

import pytest

from core.actor import Actor
from core.models import AuditEntry
from guides import services as guide_services
from members import services
from members.errors import DataRequestClosed, NoSuchMember
from tests.cast import DIRECTOR, Cast
from tests.members import privacy_kit as kit

STAFF = Actor.staff(1, "总部")


@pytest.mark.django_db
def test_she_gets_all_that_is_kept_about_her(cast: Cast) -> None:
    member_id = kit.plant(cast)
    data = services.export_member(member_id, actor=Actor.member(member_id))
    text = json.dumps(data, ensure_ascii=False)
    # Words beside a reveal and staff's reasons of bindings are the chain's own notes of its doing.
    kept_back = {kit.WORDS}
    assert [word for word in kit.PLANTED if word not in text and word not in kept_back] == []
    assert services.count_parts(data)["导购备注"] == 2
    assert AuditEntry.objects.get(action="members.exported").subject_id == member_id


@pytest.mark.django_db
def test_her_copy_tells_of_nobody_else(cast: Cast) -> None:
    """Her own number is in it; not that of another member of the same guide, nor anybody else's openid."""
    other = services.register_member(name="周敏静", phone="13711112222", source="pos", actor=DIRECTOR)
    guide_services.bind_member(member_id=other.id, guide_id=cast.lina.id, source="staff", actor=DIRECTOR)
    member_id = kit.plant(cast)
    for whose, own in ((member_id, kit.PHONE), (other.id, "13711112222")):
        data = services.export_member(whose, actor=Actor.member(whose))
        made = services.export_file(data)
        with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
            text = "\n".join(archive.read(name).decode() for name in archive.namelist())
        assert own in text
        strangers = {
            kit.PHONE,
            kit.OPENID,
            kit.NAME,
            "13711112222",
            "周敏静",
            cast.xiaomei_openid,
            cast.xiaoli_openid,
        }
        hers = {kit.PHONE, kit.OPENID, kit.NAME} if whose == member_id else {"13711112222", "周敏静"}
        assert [word for word in strangers - hers if word in text] == []


@pytest.mark.django_db
def test_made_by_staff_it_does_not_tell_the_phone(cast: Cast) -> None:
    member_id = kit.plant(cast)
    request = services.request_export(member_id=member_id, actor=STAFF)
    made = services.fulfil_export(request_id=request.id, actor=STAFF)
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(files) == {"我的资料.html", "data.json"}
    assert made.name.endswith(".zip")
    for text in files.values():
        assert kit.PHONE not in text
        assert "139 **** 5678" in text
        assert kit.NAME in text
    assert not re.search(r"\dT\d\d:", files["我的资料.html"])  # times as people read them
    assert next(iter(json.loads(files["data.json"])["parts"])) == "基本资料"
    assert kit.PHONE not in repr(made)


@pytest.mark.django_db
def test_what_people_wrote_cannot_become_markup_in_the_page(cast: Cast) -> None:
    services.rename_member(member_id=cast.xiaomei.id, name="<script>alert(1)</script>", actor=DIRECTOR)
    made = services.export_file(services.export_member(cast.xiaomei.id, actor=STAFF))
    with zipfile.ZipFile(io.BytesIO(made.content)) as archive:
        assert "<script>" not in archive.read("我的资料.html").decode()


@pytest.mark.django_db
def test_a_request_is_made_once_due_done_and_fetched_again(cast: Cast) -> None:
    first = services.request_export(member_id=cast.xiaomei.id, actor=STAFF)
    assert services.request_export(member_id=cast.xiaomei.id, actor=STAFF).id == first.id
    for _twice in range(2):
        assert services.fulfil_export(request_id=first.id, actor=STAFF).content
    with pytest.raises(DataRequestClosed):
        services.withdraw_data_request(request_id=first.id, actor=STAFF)
    second = services.request_export(member_id=cast.xiaomei.id, actor=STAFF)
    assert second.id != first.id
    services.withdraw_data_request(request_id=second.id, actor=STAFF)
    with pytest.raises(DataRequestClosed):
        services.fulfil_export(request_id=second.id, actor=STAFF)


@pytest.mark.django_db
def test_of_an_erased_and_of_an_unknown_member_there_is_no_copy(cast: Cast) -> None:
    request = services.request_export(member_id=cast.xiaomei.id, actor=STAFF)
    services.erase_member(member_id=cast.xiaomei.id, reason="staff", actor=STAFF)
    for member_id in (cast.xiaomei.id, 999_999):
        with pytest.raises(NoSuchMember):
            services.export_member(member_id, actor=STAFF)
    with pytest.raises(DataRequestClosed):
        services.fulfil_export(request_id=request.id, actor=STAFF)
