"""Our side of the sandbox: registers the account and the people who play, and ties guides to their WeChat."""

import datetime as dt
from urllib.parse import urlencode, urlsplit

from django.apps import apps

from config.demo import accounts, texts
from config.demo.followers import describe_followers
from config.demo.goods import GOODS
from config.demo.processes import request_json
from config.demo.templates import templates
from config.demo.wechat_ids import OPEN_PLATFORM
from core.actor import Actor
from guides import selectors as guide_selectors
from guides import services as guide_services

# Key in the sandbox → name. The first three are members to play; the others are guides of the chain.
PEOPLE = {
    "xiaomei": "小美",
    "xiaoli": "小丽",
    "amei": "阿梅",
    "lina": "李娜（导购）",
    "wangfang": "王芳（导购）",
    "zhaoqiang": "赵强（店长）",
}

# Articles in the official account's drafts, to be sent to many.
DRAFTS = [
    {
        "media_id": "draft-anniversary",
        "articles": [
            {
                "title": "素衣周年庆：全场满 1000 减 120",
                "description": "12 月 1 日至 7 日，线下门店和小程序同享",
                "url": "https://mp.weixin.qq.com/s/anniversary",
            }
        ],
    },
    {
        "media_id": "draft-winter",
        "articles": [
            {"title": "冬季新款到店", "url": "https://mp.weixin.qq.com/s/winter"},
            {"title": "羊毛大衣怎么洗", "url": "https://mp.weixin.qq.com/s/care"},
        ],
    },
]


def connect(sandbox_url: str, web_url: str) -> dict[str, str]:
    """Put accounts, their templates, the key for text messages and people into the sandbox (idempotent); the openid of each
    person's key in the official account."""
    request_json(
        "PUT",
        f"{sandbox_url}/_/accounts/{accounts.APP_ID}",
        {
            "name": "素衣 SUYI",
            "kind": "official",
            "app_secret": accounts.SECRETS["app_secret"],
            "original_id": accounts.ORIGINAL_ID,
            "token": accounts.SECRETS["push_token"],
            "aes_key": accounts.SECRETS["aes_key"],
            "mode": "safe",
            "format": "xml",
            "callback_url": f"{web_url}/wechat/callback/{accounts.SLUG}/",
            "open_platform": OPEN_PLATFORM,
            "oauth_domains": [urlsplit(web_url).netloc],
        },
    )
    request_json(
        "PUT",
        f"{sandbox_url}/_/accounts/{accounts.MINI_APP_ID}",
        {
            "name": "素衣会员",
            "kind": "mini_program",
            "app_secret": accounts.MINI_SECRETS["app_secret"],
            "original_id": accounts.MINI_ORIGINAL_ID,
            "token": accounts.MINI_SECRETS["push_token"],
            "aes_key": accounts.MINI_SECRETS["aes_key"],
            "mode": "safe",
            "format": "json",
            "callback_url": f"{web_url}/wechat/callback/{accounts.MINI_SLUG}/",
            "api_url": f"{web_url}/api/mini/v1",
            "goods": [one.code for one in GOODS],
            "open_platform": OPEN_PLATFORM,
        },
    )
    request_json("PUT", f"{sandbox_url}/_/accounts/{accounts.APP_ID}/drafts", {"drafts": DRAFTS})
    request_json("PUT", f"{sandbox_url}/_/accounts/{accounts.APP_ID}/followers", describe_followers())
    for app_id, prefix in ((accounts.APP_ID, "official"), (accounts.MINI_APP_ID, "mini")):
        request_json("PUT", f"{sandbox_url}/_/accounts/{app_id}/templates", {"templates": templates(prefix)})
    request_json(
        "PUT",
        f"{sandbox_url}/_/sms/{accounts.SMS_KEY_ID}",
        {
            "key_secret": accounts.SMS_KEY_SECRET,
            "app_id": accounts.SMS_APP_ID,
            "signs": {texts.SIGN_ID: texts.SIGN},
            "templates": {template.code: template.text for template in texts.TEMPLATES},
            "rejected": [template.code for template in texts.TEMPLATES if template.is_rejected],
            "callback_url": f"{web_url}/sms/reports/{accounts.SMS_CALLBACK_KEY}/",
        },
    )
    return {
        key: request_json("POST", f"{sandbox_url}/_/people", {"key": key, "name": name})["openids"][
            accounts.APP_ID
        ]
        for key, name in PEOPLE.items()
    }


def activate_demo_guides(openids: dict[str, str], *, at: dt.datetime) -> str | None:
    """李娜 and 赵强 can log in at once; the answer is 王芳's one-time code, None when she has used one."""
    actor = Actor.system("demo")
    for key, name in (("lina", "李娜"), ("zhaoqiang", "赵强")):
        if guide_selectors.find_guide_by_login(accounts.APP_ID, openids[key]) is None:
            code = guide_services.issue_activation_code(guide_id=_guide_id(name), actor=actor, at=at)
            guide_services.activate_guide(app_id=accounts.APP_ID, openid=openids[key], code=code, at=at)
    if guide_selectors.find_guide_by_login(accounts.APP_ID, openids["wangfang"]) is not None:
        return None
    return guide_services.issue_activation_code(guide_id=_guide_id("王芳"), actor=actor, at=at)


def find_scan_link(sandbox_url: str) -> str:
    """The console's page on which 小美 is about to scan 李娜's code."""
    code = guide_selectors.get_guide_code(_guide_id("李娜"))
    if not code.qr_content:
        guide_services.publish_channel_code(code.id)
        code = guide_selectors.get_guide_code(_guide_id("李娜"))
    people = request_json("GET", f"{sandbox_url}/_/people")["people"]
    person = next(person["id"] for person in people if person["key"] == "xiaomei")
    query = {"person": person, "app_id": accounts.APP_ID, "scan": code.qr_content}
    return f"{sandbox_url}/?{urlencode(query)}"


def _guide_id(name: str) -> int:
    guides = apps.get_model("guides", "Guide").objects.filter(name=name, state="active").order_by("pk")
    return int(guides.values_list("pk", flat=True)[0])
