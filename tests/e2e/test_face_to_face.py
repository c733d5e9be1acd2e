"""A guide's offer on her screen, a scan in WeChat, the coupon in the chat: through the sandbox's real pushes."""

from tests.coupons.stack_offer import RULE, offer_source
from tests.stack import Stack, wait_until


def until_told(stack: Stack, person: dict[str, object], words: str) -> None:
    wait_until(
        lambda: any(words in (bubble.get("text") or "") for bubble in stack.chat(person)),
        within_s=90,  # an event that was lost is made up for by a job of every minute
        what=f"a bubble with {words}",
    )


def test_a_scan_brings_guide_greeting_coupon_and_message(stack: Stack) -> None:
    scene = stack.run_in_django(offer_source(stack.facts["guides"][0]))
    url = wait_until(
        lambda: stack.value("SELECT qr_url FROM guides_channelcode WHERE code = %s", scene),
        what="the offer's QR",
    )
    new, known = stack.person("面对面新客"), stack.person("面对面老客")
    assert [push["status"] for push in stack.scan(new, url)["pushes"]] == ["delivered"]
    until_told(stack, new, "我是您的专属导购李娜")
    until_told(stack, new, "「见面礼」已经放进您的券包")
    stack.scan(
        known, stack.value("SELECT qr_url FROM guides_channelcode WHERE code = %s", stack.facts["codes"][1])
    )
    until_told(stack, known, "王芳")
    stack.scan(known, url)  # follows already and keeps her guide: a SCAN event
    until_told(stack, known, "「见面礼」已经放进您的券包")
    rows = stack.rows(
        "SELECT guide.name, coupon.door FROM coupons_coupon coupon "
        "JOIN guides_binding bound ON bound.member_id = coupon.member_id AND bound.ended_at IS NULL "
        "JOIN guides_guide guide ON guide.id = bound.guide_id ORDER BY coupon.id"
    )
    assert rows == [("李娜", "face_to_face"), ("王芳", "face_to_face")]
    stack.scan(new, url)
    until_told(stack, new, "您已经领过这张券了")
    stack.execute("UPDATE coupons_facetofaceoffer SET closed_at = now() - interval '1 minute'")
    late = stack.person("面对面迟到")
    stack.scan(late, url)
    until_told(stack, late, "这次面对面发券已经结束了")
    until_told(stack, late, "我是您的专属导购李娜")
    assert stack.value("SELECT count(*) FROM coupons_coupon") == 2


def test_a_standing_rule_welcomes_who_is_bound_by_a_scan(stack: Stack) -> None:
    rule = int(stack.run_in_django(RULE))
    try:
        person = stack.person("欢迎券新客")
        code = stack.facts["codes"][0]
        url = wait_until(
            lambda: stack.value("SELECT qr_url FROM guides_channelcode WHERE code = %s", code),
            what="the code's ticket",
        )
        stack.scan(person, url)
        until_told(stack, person, "「欢迎券」已经放进您的券包")
        stack.scan(person, url)
        wait_until(
            lambda: stack.value("SELECT count(*) FROM guides_channelscan") == 2, what="the second scan"
        )
        assert stack.value("SELECT count(*) FROM coupons_coupon") == 1
        assert stack.rows("SELECT occasion_key, state FROM coupons_standingissue") == [
            ("bound:first", "given")
        ]
    finally:
        stack.execute("UPDATE coupons_standingrule SET state = 'off' WHERE id = %s", rule)
