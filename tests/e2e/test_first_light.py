"""From a scan in WeChat to the guide's phone, through the sandbox's real pushes."""

import pytest

from tests.stack import Stack, wait_until
from tests.wechat import push_kit


def code_url(stack: Stack, guide: int) -> str:
    """What the QR of a guide's code holds, once WeChat has given it."""
    found: str = wait_until(
        lambda: stack.value(
            "SELECT qr_url FROM guides_channelcode WHERE code = %s", stack.facts["codes"][guide]
        ),
        within_s=40,
        what="the code's ticket",
    )
    return found


def bindings(stack: Stack) -> list[tuple[str, bool]]:
    return stack.rows(
        "SELECT g.name, b.ended_at IS NULL FROM guides_binding b JOIN guides_guide g ON g.id = b.guide_id ORDER BY b.id"
    )


def until_greeted(stack: Stack, person: dict[str, object], words: str) -> None:
    wait_until(
        lambda: any(words in (bubble.get("text") or "") for bubble in stack.chat(person)),
        what=f"a bubble with {words}",
    )


def test_a_scan_binds_greets_and_tells_the_guide(stack: Stack) -> None:
    person = stack.person("小美")
    outcome = stack.scan(person, code_url(stack, 0))
    assert [push["status"] for push in outcome["pushes"]] == ["delivered"]
    until_greeted(stack, person, "李娜")
    assert bindings(stack) == [("李娜", True)]
    assert (
        wait_until(lambda: stack.value("SELECT count(*) FROM guides_guidenotice"), what="the guide's notice")
        == 1
    )
    assert stack.value("SELECT stage FROM members_member") == "prospect"
    counts = stack.rows(
        "SELECT scan_count, follow_count, binding_count FROM guides_channelcode WHERE code = %s",
        stack.facts["codes"][0],
    )
    assert counts[0][0] >= 1


def test_a_second_guide_does_not_take_her_over(stack: Stack) -> None:
    person = stack.person("小丽")
    stack.scan(person, code_url(stack, 0))
    until_greeted(stack, person, "李娜")
    stack.scan(person, code_url(stack, 1))  # following already: a SCAN event
    wait_until(lambda: stack.value("SELECT count(*) FROM guides_channelscan") == 2, what="the second scan")
    assert bindings(stack) == [("李娜", True)]


def test_the_same_push_many_times_has_one_effect(stack: Stack) -> None:
    person = stack.person("阿梅")
    stack.scan(person, code_url(stack, 0), script={"copies": 5, "repeat_after_s": [1]})
    until_greeted(stack, person, "李娜")
    wait_until(
        lambda: stack.value("SELECT count(*) FROM wechat_inboundevent WHERE state = 'processed'") == 1,
        what="processing",
    )
    assert bindings(stack) == [("李娜", True)]
    assert stack.value("SELECT count(*) FROM guides_channelscan") == 1
    greetings = [bubble for bubble in stack.chat(person) if "李娜" in (bubble.get("text") or "")]
    assert len(greetings) == 1


def test_leaving_and_coming_back_is_the_same_member(stack: Stack) -> None:
    person = stack.person("回头客")
    stack.scan(person, code_url(stack, 1))
    until_greeted(stack, person, "王芳")
    account = {"app_id": push_kit.APP_ID}
    stack.sandbox("POST", f"/_/people/{person['id']}/unfollow", account)
    wait_until(lambda: stack.value("SELECT NOT is_following FROM members_member"), what="unfollow")
    stack.sandbox("POST", f"/_/people/{person['id']}/follow", account)
    wait_until(lambda: stack.value("SELECT is_following FROM members_member"), what="follow")
    assert stack.value("SELECT count(*) FROM members_member") == 1
    assert bindings(stack) == [("王芳", True)]


def test_a_key_rotation_in_between_loses_nothing(stack: Stack) -> None:
    """WeChat goes on with the old key for a while; the account keeps it as the previous one."""
    stack.sandbox(
        "POST",
        f"/_/accounts/{push_kit.APP_ID}/rotate-key",
        {"aes_key": push_kit.OLD_AES_KEY, "grace_pushes": 1},
    )
    try:
        stack.run_in_django(
            "from wechat.models import Account; a = Account.objects.get(); a.previous_aes_key, a.aes_key = "
            f"a.aes_key, '{push_kit.OLD_AES_KEY}'; a.save(update_fields=['aes_key', 'previous_aes_key'])"
        )
        for name in ("钥匙一", "钥匙二"):  # the first comes under the old key, the second under the new
            person = stack.person(name)
            outcome = stack.scan(person, code_url(stack, 0))
            assert outcome["pushes"][0]["status"] == "delivered", outcome
            until_greeted(stack, person, "李娜")
    finally:
        stack.sandbox("PUT", f"/_/accounts/{push_kit.APP_ID}", stack.sandbox_account())
        stack.run_in_django(
            f"from wechat.models import Account; Account.objects.update(aes_key='{push_kit.AES_KEY}', previous_aes_key='')"
        )


@pytest.mark.parametrize(
    "mutation", ["bad_signature", "wrong_appid", "bad_padding", "truncated", "no_encrypt", "plain_downgrade"]
)
def test_the_sandboxs_bad_pushes_are_refused(stack: Stack, mutation: str) -> None:
    seen = stack.sandbox("POST", "/_/push-raw", {"app_id": push_kit.APP_ID, "mutate": mutation})
    assert seen["status"] == 403
    assert stack.value("SELECT count(*) FROM wechat_inboundevent") == 0
