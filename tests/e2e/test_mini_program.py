"""The walk through docs/mini-program.md, line by line, against real processes."""

import os
import re
import shutil
import subprocess

import pytest

from tests.stack import ROOT, Stack, wait_until
from tests.wechat import push_kit

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the walk through is written for curl")
APP_ID = "wxe2emini0000001"


@pytest.fixture
def mini_stack(stack: Stack) -> Stack:
    """The mini-program on both sides."""
    values = {"app_secret": "planted-mini-secret", "push_token": push_kit.TOKEN, "aes_key": push_kit.AES_KEY}
    stack.run_in_django(
        "from wechat.models import Account; Account.objects.get_or_create(slug='mini', defaults=dict(name='素衣', "
        f"kind='mini_program', app_id={APP_ID!r}, original_id='gh_mini', **{values!r}))"
    )
    stack.sandbox(
        "PUT",
        f"/_/accounts/{APP_ID}",
        {
            "name": "素衣会员", "kind": "mini_program", "app_secret": "planted-mini-secret", "original_id": "gh_mini",
            "token": push_kit.TOKEN, "aes_key": push_kit.AES_KEY, "open_platform": "suyi",
        },
    )  # fmt: skip
    stack.sandbox(
        "PUT",
        "/_/sms/stack-sms",
        {
            "key_secret": "planted-sms-secret",
            "app_id": "1400009001",
            "signs": {"501": "素衣"},
            "templates": {"1001": "您的验证码是 {1}，5 分钟内有效。"},
            "callback_url": f"{stack.web_url}/sms/reports/planted-callback-key-0001/",
        },
    )
    stack.run_in_django(
        "from sms.models import SmsSign, SmsTemplate; "
        "SmsSign.objects.get_or_create(name='素衣', defaults=dict(is_default=True, state='approved')); "
        "SmsTemplate.objects.get_or_create(code='1001', defaults=dict(title='验证码', purpose='code', "
        "text='您的验证码是 {1}，5 分钟内有效。', state='approved'))"
    )
    wait_until(
        lambda: (
            stack.value("SELECT count(*) FROM guides_channelcode WHERE qr_url <> '' AND purpose = ''") == 3
        ),
        within_s=60,
        what="the codes' tickets",
    )
    return stack


def run(stack: Stack, script: str) -> list[str]:
    """What the lines of a script print."""
    environment = {**os.environ, "WEB": stack.web_url, "SANDBOX": stack.sandbox_url, "APP": APP_ID}
    done = subprocess.run(
        ["bash", "-euc", script], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def walk_through() -> str:
    text = (ROOT / "docs" / "mini-program.md").read_text(encoding="utf-8")
    found = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_walk_through_of_the_docs_works_and_leaves_nothing_in_the_logs(mini_stack: Stack) -> None:
    mini_stack.run_in_django(
        "from tests.guides.requests_kit import make_kinds; from tests.members import privacy_kit, tiers_kit; "
        "make_kinds(); privacy_kit.consent_texts(); tiers_kit.make_ladder()"
    )
    mini_stack.run_in_django(
        "from core.actor import Actor; from config.demo.coupon_doors import seed_coupon_doors; from core import clock; "
        "from tests.coupons.kit import make_batch; "
        "seed_coupon_doors(make_batch(1000), make_batch(doors=('share',)), sharers=[], friends=[], "
        "actor=Actor.system('test'), at=clock.now())"
    )
    stage, guide, store, code, *later = run(mini_stack, walk_through())
    assert stage == "member"
    assert guide in {"李娜", "王芳", "陈静"}
    assert store == "南京东路店"
    assert re.fullmatch(r"80[0-9]{18}", code)
    assert later[:5] == ["True", "普通", "100000", "open", guide]
    shown, *coupons = later[5:]
    assert re.fullmatch(r"81[0-9]{18}", shown)
    assert coupons == ["兑换码兑换", "2", "助力中"]
    bound = mini_stack.rows(
        "SELECT g.name, b.source FROM guides_binding b JOIN guides_guide g ON g.id = b.guide_id"
    )
    assert bound == [(guide, "mini_program")]
    people = mini_stack.sandbox("GET", "/_/people")["people"]
    person = next(one for one in people if one["key"] == "xiaomei")
    logs = mini_stack.log_text()
    for planted in (
        person["phone"],
        person["openids"][APP_ID],
        person["unionid"],
        "planted-mini-secret",
        code,
        shown,
    ):
        assert planted not in logs


def test_a_text_message_goes_through_the_worker(mini_stack: Stack) -> None:
    script = (
        walk_through().split("# She allows")[0]
        + '\npost phone/sms \'{"phone": "13712345678"}\' | json \'["masked_phone"]\''
    )
    assert run(mini_stack, script) == ["137", "****", "5678"]
    texts = wait_until(
        lambda: mini_stack.sandbox("GET", "/_/texts?phone=13712345678")["texts"], what="the text message"
    )
    assert texts[0]["text"].startswith("【素衣】您的验证码是")
    assert wait_until(
        lambda: mini_stack.value("SELECT state FROM sms_smsmessage") == "delivered", what="the receipt"
    )
    assert "13712345678" not in mini_stack.log_text()
