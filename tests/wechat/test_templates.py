"""Templates are as WeChat has them, and trying one tells what came of it."""

import datetime as dt
from typing import Any

import pytest

from core import clock
from core.actor import Actor
from core.models import AuditEntry
from tests.wechat.gateway_out import OPENID, at_once, open_account
from tests.wechat.scripted_server import DROP, HTML, Reply, ScriptedServer, error, ok
from wechat.errors import TemplateFieldUnfit, TemplateGone, WeChatAway, WeChatRefused
from wechat.models import Account, InboundEvent, MessageTemplate, TemplateTrial
from wechat.services import erasing, templates, trials
from wechat.services.retention import prune_gateway

OFFICIAL = "/cgi-bin/template/get_all_private_template"
MINI = "/wxaapi/newtmpl/gettemplate"
SEND = "/cgi-bin/message/template/send"
STAFF = Actor.staff(1, "总部")


def official(template_id: str = "T1", title: str = "发货提醒", **more: Any) -> dict[str, Any]:
    return {
        "template_id": template_id,
        "title": title,
        "primary_industry": "",
        "deputy_industry": "",
        "content": "商品名称:{{thing1.DATA}}\n发货时间:{{time2.DATA}}\n",
        "example": "商品名称:羊毛大衣\n发货时间:2026年11月28日 10:00\n",
        **more,
    }


def listed(*entries: dict[str, Any]) -> Reply:
    return ok(template_list=list(entries))


def sync(account: Account, actor: Actor = STAFF) -> tuple[int, int, int, int]:
    done = templates.sync_templates(account_id=account.pk, actor=actor)
    return done.total_count, done.added_count, done.changed_count, done.gone_count


def test_an_official_accounts_templates_come_with_their_fields(
    account: Account, server: ScriptedServer
) -> None:
    server.script(OFFICIAL, listed(official(), official("T2", "积分变动")))
    assert sync(account) == (2, 2, 0, 0)
    card = templates.find_template(account_id=account.pk, template_id="T1")
    assert card is not None
    assert (card.channel, card.title, card.is_live, card.app_id) == (
        "template",
        "发货提醒",
        True,
        account.app_id,
    )
    assert [(field.name, field.kind, field.label) for field in card.fields] == [
        ("thing1", "thing", "商品名称"),
        ("time2", "time", "发货时间"),
    ]
    assert AuditEntry.objects.get().details == {"new_count": 2, "changed_count": 0, "gone_count": 0}


def test_a_mini_programs_templates_come_through_its_own_interface(
    account: Account, server: ScriptedServer
) -> None:
    Account.objects.update(kind="mini_program")
    content = {"title": "到货", "content": "商品:{{thing1.DATA}}", "example": "商品:大衣"}
    server.script(
        MINI,
        ok(
            errcode=0,
            errmsg="ok",
            data=[{"priTmplId": "P1", "type": 2, **content}, {"priTmplId": "P2", "type": 3}],
        ),
    )
    assert sync(account) == (2, 2, 0, 0)
    cards = {card.template_id: card for card in templates.list_templates(account_id=account.pk)}
    assert (cards["P1"].channel, cards["P1"].is_lasting, cards["P2"].is_lasting) == (
        "subscription",
        False,
        True,
    )


def test_what_changed_is_counted_and_what_is_gone_is_marked_and_may_return(
    account: Account, server: ScriptedServer
) -> None:
    server.script(OFFICIAL, listed(official(), official("T2")))
    sync(account)
    server.script(OFFICIAL, listed(official(title="发货通知")))
    assert sync(account) == (1, 0, 1, 1)
    assert [card.title for card in templates.list_templates()] == ["发货通知"]
    gone = templates.find_template(account_id=account.pk, template_id="T2")
    assert gone is not None
    with pytest.raises(TemplateGone):
        templates.fit_fields(gone, {})
    server.script(OFFICIAL, listed(official(title="发货通知"), official("T2")))
    assert sync(account) == (2, 0, 1, 0)
    assert sync(account, Actor.system("sync_templates")) == (2, 0, 0, 0)
    assert AuditEntry.objects.count() == 3


@pytest.mark.parametrize(
    "reply",
    [HTML, DROP, error(-1), ok(errcode=0), ok(template_list="x"), listed({"title": "no id"}), listed(5)],  # type: ignore[arg-type]
)
def test_an_answer_that_is_no_list_changes_nothing(
    account: Account, server: ScriptedServer, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wechat.client.gateway.BUSY_PAUSES_S", ())
    server.script(OFFICIAL, listed(official()))
    sync(account)
    server.script(OFFICIAL, reply)
    with pytest.raises(WeChatAway):
        sync(account)
    assert [card.template_id for card in templates.list_templates()] == ["T1"]


def test_one_account_that_fails_does_not_keep_the_others(account: Account, server: ScriptedServer) -> None:
    open_account(slug="other", app_id="wxother")
    server.script(OFFICIAL, error(48001), listed(official()))
    assert templates.sync_all_templates() == 1
    server.script(OFFICIAL, error(48001))
    with pytest.raises(WeChatRefused):
        sync(account)


def test_two_synchronisations_at_once_end_the_same(account: Account, server: ScriptedServer) -> None:
    server.script(OFFICIAL, listed(official(), official("T2")))
    results = at_once(4, lambda _: sync(account))
    assert sorted(results) == [(2, 0, 0, 0)] * 3 + [(2, 2, 0, 0)]
    assert MessageTemplate.objects.count() == 2


# Trying ---------------------------------------------------------------------------------------------------


@pytest.fixture
def template(account: Account, server: ScriptedServer) -> MessageTemplate:
    server.script(OFFICIAL, listed(official()))
    sync(account)
    return MessageTemplate.objects.get()


def push_result(account: Account, message_id: str, status: str) -> None:
    raw = (
        f"<xml><FromUserName>{OPENID}</FromUserName><MsgType>event</MsgType>"
        f"<Event>TEMPLATESENDJOBFINISH</Event><MsgID>{message_id}</MsgID><Status>{status}</Status></xml>"
    )
    InboundEvent.objects.create(
        account=account,
        dedupe_key=message_id,
        kind="event.templatesendjobfinish",
        openid=OPENID,
        received_at=clock.now(),
        raw=raw,
    )


def attempt(template: MessageTemplate, **values: str) -> str:
    values = {"thing1": "大衣", "time2": "10:00"} | values
    return trials.try_template(template_pk=template.pk, openid=OPENID, values=values, actor=STAFF).state


def test_a_trial_is_sent_and_shown_with_its_delivery(
    template: MessageTemplate, account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, ok(errcode=0, errmsg="ok", msgid=41), ok(errcode=0, errmsg="ok", msgid=42))
    assert [attempt(template), attempt(template)] == ["sent", "sent"]
    push_result(account, "41", "failed:user block")
    shown = trials.list_trials(template_pk=template.pk)
    assert [(trial.state, trial.delivery, trial.tried_by) for trial in shown] == [
        ("sent", "", "总部"),
        ("sent", "blocked", "总部"),
    ]
    keys = {seen.json()["client_msg_id"] for seen in server.calls(SEND)}
    assert len(keys) == 2


def test_a_refused_trial_says_why(template: MessageTemplate, server: ScriptedServer) -> None:
    server.script(SEND, error(47003, "argument invalid! data.thing1.value invalid"))
    assert attempt(template) == "refused"
    trial = trials.list_trials(template_pk=template.pk)[0]
    assert (trial.code, trial.errcode, trial.field) == ("wechat.field_refused", 47003, "thing1")
    assert AuditEntry.objects.get(action="wechat.template.try").details == {"outcome": "wechat.field_refused"}


def test_a_trial_that_does_not_fit_is_not_sent(template: MessageTemplate, server: ScriptedServer) -> None:
    with pytest.raises(TemplateFieldUnfit):
        attempt(template, time2="明天")
    assert server.calls(SEND) == []
    assert not TemplateTrial.objects.exists()


def test_trials_of_a_person_are_told_and_forgotten_with_her(
    template: MessageTemplate, account: Account, server: ScriptedServer
) -> None:
    server.script(SEND, ok(errcode=0, errmsg="ok", msgid=1))
    attempt(template)
    other = TemplateTrial.objects.create(
        template=template, openid="oOTHER", tried_at=clock.now(), tried_by="x"
    )
    people = [(account.app_id, OPENID)]
    assert "发货提醒" in str(erasing.export_person(people=people))
    erasing.erase_person(people=people)
    assert list(TemplateTrial.objects.all()) == [other]


def test_old_trials_go(template: MessageTemplate) -> None:
    for days in (1, 400):
        TemplateTrial.objects.create(
            template=template, openid="o", tried_at=clock.now() - dt.timedelta(days=days), tried_by="x"
        )
    assert prune_gateway() == 1
