"""Tags of followers are as WeChat has them, and are changed through it."""

import pytest

from core.actor import Actor
from core.errors import NotFound, Refusal
from core.models import AuditEntry
from tests.wechat.gateway_out import Sandbox, at_once
from tests.wechat.scripted_server import DROP, HTML, Reply, ScriptedServer, error, ok
from wechat import errors
from wechat.models import Account, FollowerTag
from wechat.services import follower_tags

GET, CREATE = "/cgi-bin/tags/get", "/cgi-bin/tags/create"
STAFF = Actor.staff(1, "总部")


def sync(account: Account, actor: Actor = STAFF) -> tuple[int, int, int, int]:
    done = follower_tags.sync_follower_tags(account_id=account.pk, actor=actor)
    return done.total_count, done.added_count, done.changed_count, done.gone_count


def names(account: Account) -> list[str]:
    return [card.name for card in follower_tags.list_follower_tags(account_id=account.pk)]


def listed(*tags: tuple[int, str]) -> Reply:
    return ok(tags=[{"id": number, "name": name, "count": 3} for number, name in tags])


def test_a_tag_is_made_renamed_and_deleted_in_wechat(sandbox: Sandbox, sandbox_account: Account) -> None:
    account = sandbox_account
    card = follower_tags.create_follower_tag(account_id=account.pk, name=" 老客 ", actor=STAFF)
    assert (card.name, card.is_live) == ("老客", True)
    assert follower_tags.rename_follower_tag(pk=card.id, name="熟客", actor=STAFF).name == "熟客"
    assert sync(account) == (1, 0, 0, 0)
    assert names(account) == ["熟客"]
    assert not follower_tags.delete_follower_tag(pk=card.id, actor=STAFF).is_live
    assert sync(account, Actor.system("sync")) == (0, 0, 0, 0)
    assert names(account) == []
    with pytest.raises(errors.FollowerTagGone):
        follower_tags.rename_follower_tag(pk=card.id, name="再来", actor=STAFF)
    actions = AuditEntry.objects.filter(subject_kind="wechat.followertag").order_by("pk")
    assert [action.rsplit(".", 1)[1] for action in actions.values_list("action", flat=True)] == [
        "add",
        "rename",
        "delete",
    ]


def test_a_name_that_is_taken_and_one_that_is_too_long(sandbox: Sandbox, sandbox_account: Account) -> None:
    follower_tags.create_follower_tag(account_id=sandbox_account.pk, name="老客", actor=STAFF)
    with pytest.raises(errors.FollowerTagNameTaken):
        follower_tags.create_follower_tag(account_id=sandbox_account.pk, name="老客", actor=STAFF)
    for name in ("", " ", "长" * 31, "a\0b"):
        with pytest.raises(errors.FollowerTagNameUnfit):
            follower_tags.create_follower_tag(account_id=sandbox_account.pk, name=name, actor=STAFF)
    assert FollowerTag.objects.count() == 1


@pytest.mark.parametrize(
    ("errcode", "refusal"),
    [
        (45056, errors.TooManyFollowerTags),
        (45157, errors.FollowerTagNameTaken),
        (45158, errors.FollowerTagNameUnfit),
        (45009, errors.WeChatAway),
        (48001, errors.WeChatRefused),
    ],
)
def test_what_wechat_refuses_is_said_and_nothing_is_kept(
    account: Account, server: ScriptedServer, errcode: int, refusal: type[Refusal]
) -> None:
    server.script(CREATE, error(errcode))
    with pytest.raises(refusal):
        follower_tags.create_follower_tag(account_id=account.pk, name="老客", actor=STAFF)
    assert not FollowerTag.objects.exists()


def test_what_was_changed_in_the_console_comes_in(account: Account, server: ScriptedServer) -> None:
    server.script(GET, listed((2, "星标组"), (100, "老客"), (101, "新客")))
    assert sync(account) == (3, 3, 0, 0)
    server.script(GET, listed((2, "星标组"), (100, "熟客")))
    assert sync(account) == (2, 0, 1, 1)
    assert names(account) == ["星标组", "熟客"]
    star = FollowerTag.objects.get(wechat_tag_id=2)
    with pytest.raises(errors.SystemFollowerTag):
        follower_tags.delete_follower_tag(pk=star.pk, actor=STAFF)
    server.script(GET, listed((2, "星标组"), (100, "熟客"), (101, "新客")))
    assert sync(account) == (3, 0, 1, 0)


@pytest.mark.parametrize(
    "reply", [HTML, DROP, ok(tags="x"), ok(errcode=0), ok(tags=[{"id": "a"}]), ok(tags=[5]), error(-1)]
)
def test_an_answer_that_is_no_list_changes_nothing(
    account: Account, server: ScriptedServer, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wechat.client.gateway.BUSY_PAUSES_S", ())
    server.script(GET, listed((100, "老客")))
    sync(account)
    server.script(GET, reply)
    with pytest.raises(errors.WeChatAway):
        sync(account)
    assert names(account) == ["老客"]


def test_two_synchronisations_at_once_end_the_same(account: Account, server: ScriptedServer) -> None:
    server.script(GET, listed((100, "老客"), (101, "新客")))
    results = at_once(4, lambda _: sync(account))
    assert sorted(results) == [(2, 0, 0, 0)] * 3 + [(2, 2, 0, 0)]


def test_a_mini_program_has_no_followers_and_no_tags(account: Account) -> None:
    Account.objects.update(kind="mini_program")
    with pytest.raises(NotFound):
        sync(account)
