"""Journeys for the whole life of a member, ready to be switched on: a good shop's own words, gifts in points. What is said where
a marketer gives coupons stands in `ready_made_gifts`."""

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

Steps = dict[str, dict[str, Any]]
# When days of waiting end: whoever came in at 23:40 is not written to, and no guide is sent to her, at 23:40.
_TEN: Final = "10:00"


@dataclasses.dataclass(frozen=True, slots=True)
class ReadyMade:
    """One of them. `code` stays: it is not installed twice."""

    code: str
    name: str
    note: str
    definition: Mapping[str, Any]


def _say(title: str, text: str, topic: str, following: str = "", page: str = "") -> dict[str, Any]:
    values = {"title": title, "text": text, "topic": topic} | ({"page": page} if page else {})
    return {"kind": "reach", "with": values} | ({"next": following} if following else {})


def _days(days: int, following: str, at: str = _TEN) -> dict[str, Any]:
    return {"kind": "wait", "with": {"amount": days, "unit": "days", "at": at}, "next": following}


def _morning(following: str) -> dict[str, Any]:
    return {"kind": "wait_until", "with": {"at": _TEN}, "next": following}


def _for(event: str, days: int, following: str = "", otherwise: str = "") -> dict[str, Any]:
    step: dict[str, Any] = {
        "kind": "wait_event",
        "with": {"event": event, "amount": days, "unit": "days", "at": _TEN},
    }
    return step | ({"next": following} if following else {}) | ({"else": otherwise} if otherwise else {})


def _gift(points: int, reason: str, following: str = "") -> dict[str, Any]:
    step = {"kind": "points", "with": {"points": points, "reason": reason}}
    return step | ({"next": following} if following else {})


def _guide(title: str, script: str, days: int = 3) -> dict[str, Any]:
    return {"kind": "follow_up", "with": {"title": title, "script": script, "days": days}}


def _begins(trigger: Mapping[str, Any], steps: Steps, **other: Any) -> dict[str, Any]:
    return {"trigger": dict(trigger), "first": next(iter(steps)), "steps": steps} | other


def _on(event: str) -> dict[str, Any]:
    return {"on": "moment", "with": {"event": event}}


_WHOLE: Final = {"is": "members.whole"}
_MEMBER: Final = {"is": "members.stage", "with": {"stages": ["member"]}}
_BUYS_AGAIN: Final = {"is": "sales.purchases", "with": {"count": {"at_least": 2}}}


def _asleep(days: int, title: str, text: str, last: Steps) -> dict[str, Any]:
    steps = {
        "hello": _say(title, text, "marketing", "buys", "pages/home"),
        "buys": _for("bought", 14, "", next(iter(last))),
    }
    return _begins(
        {"on": "asleep", "with": {"days": days, "at": "10:30"}},
        steps | last,
        re_entry={"how": "after_days", "days": 60},
        goal={"on": "bought"},
    )


READY_MADE: Final[tuple[ReadyMade, ...]] = (
    ReadyMade(
        "welcome",
        "关注欢迎",
        "关注公众号第二天还没有入会的，请她入会，并介绍会员礼遇。入会即达成目标。",
        _begins(
            _on("followed"),
            {
                "morning": _days(1, "invite"),
                "invite": _say(
                    "欢迎来到我们这里",
                    "很高兴认识您。用手机号免费入会，购物有积分，生日有礼，专属导购为您留心新品。点这里一分钟完成入会。",
                    "care",
                    "joins",
                    "pages/join",
                ),
                "joins": _for("joined", 7, "", "again"),
                "again": _say(
                    "会员礼遇还为您留着",
                    "入会只要一个手机号，首次入会有积分好礼。有任何问题，直接在这里回复我们就好。",
                    "care",
                    "",
                    "pages/join",
                ),
            },
            who={"none": [_MEMBER]},
            exits=[{"on": "unfollowed"}],
            goal={"on": "joined"},
        ),
    ),
    ReadyMade(
        "join_gift",
        "入会礼",
        "成为会员马上送礼并告诉她；一周内没有购买的，请专属导购问候一声。",
        _begins(
            _on("joined"),
            {
                "gift": _gift(200, "入会礼", "tell"),
                "tell": _say(
                    "入会礼 200 积分已到账",
                    "{member}，欢迎加入。200 积分已经放进您的账户，购物可以抵用。您的等级是{tier}，生日和升级还有礼。",
                    "care",
                    "bought",
                    "pages/points",
                ),
                # Who joins at a till buys in the same minute: a purchase ends her way no sooner than here, behind the gift.
                "bought": {"kind": "branch_event", "with": {"event": "bought"}, "else": "buys"},
                "buys": _for("bought", 7, "", "guide"),
                "guide": _guide(
                    "新会员问候",
                    "您好{member}，我是您的专属导购。刚入会有 200 积分可以用，想看看哪类款式？我帮您留意。",
                ),
            },
        ),
    ),
    ReadyMade(
        "profile",
        "完善资料",
        "入会第三天资料还不完整的，提醒一次；什么时候补全了，另外谢她一次。",
        _begins(
            _on("joined"),
            {
                "early": _for("profile_completed", 3, "thanks", "whole"),
                "whole": {"kind": "branch_rule", "with": {"rule": _WHOLE}, "else": "ask"},
                "ask": _say(
                    "还差一步，生日礼就有着落了",
                    "{member}，补上生日和性别，我们才知道哪天为您准备礼物，也少打扰您不需要的内容。",
                    "care",
                    "done",
                    "pages/profile",
                ),
                "done": _for("profile_completed", 14, "thanks"),
                "thanks": _say("资料已完善，谢谢您", "{member}，资料收到了。生日当月见，到时有礼。", "care"),
            },
        ),
    ),
    ReadyMade(
        "after_purchase",
        "购后关怀与评价邀请",
        "买完三天问候穿着感受，第七天请她评价；退货的马上停止，不再打扰。",
        _begins(
            _on("bought"),
            {
                "days": _days(3, "care"),
                "care": _say(
                    "衣服还合身吗",
                    "{member}，感谢选购。首次清洗建议冷水轻柔、反面晾干。尺码或搭配有疑问，随时找{guide}。",
                    "care",
                    "week",
                ),
                "week": _days(4, "review"),
                "review": _say(
                    "想听听您的评价",
                    "{member}，这次购物满意吗？说一句真心话，对我们和其他会员都有帮助。",
                    "review",
                    "",
                    "pages/reviews",
                ),
            },
            re_entry={"how": "after_days", "days": 14},
            exits=[{"on": "returned"}],
        ),
    ),
    ReadyMade(
        "second_purchase",
        "促成第二次购买",
        "首购后第 20 天还没有再来的，送礼并告诉她；再过 10 天仍没有来的请导购联系。",
        _begins(
            _on("bought"),
            {
                "days": _for("bought", 20, "", "gift"),
                "gift": _gift(100, "回店礼", "tell"),
                "tell": _say(
                    "100 积分给您，回店可用",
                    "{member}，上次的衣服穿着可好？新到的款式和它很搭，100 积分已到账，欢迎回来看看。",
                    "marketing",
                    "buys",
                    "pages/home",
                ),
                "buys": _for("bought", 10, "", "guide"),
                "guide": _guide(
                    "首购会员回访", "您好{member}，上次买的还喜欢吗？店里到了几款可以搭配的，给您留一套试试？"
                ),
            },
            who={"none": [_BUYS_AGAIN]},
            goal={"on": "bought"},
        ),
    ),
    ReadyMade(
        "birthday",
        "生日祝福",
        "生日前三天送礼，当天早上祝福。",
        _begins(
            {"on": "birthday", "with": {"days": 3, "at": "10:00"}},
            {
                "gift": _gift(300, "生日礼", "tell"),
                "tell": _say(
                    "生日礼 300 积分已到账",
                    "{member}，{day}是您的生日，先把礼物送到：300 积分，全场可抵。",
                    "care",
                    "days",
                    "pages/points",
                ),
                "days": _days(3, "wish", "09:00"),
                "wish": _say(
                    "生日快乐",
                    "{member}，生日快乐！愿新的一岁自在、舒展。今天来{store}，{guide}为您准备了小惊喜。",
                    "care",
                ),
            },
            who=_MEMBER,
            re_entry={"how": "after_days", "days": 300},
        ),
    ),
    ReadyMade(
        "tier_up",
        "升级祝贺",
        "升级后的第一个上午祝贺，并说明新等级的礼遇；请导购当面道贺。",
        _begins(
            _on("tier_up"),
            {
                "ten": _morning("tell"),
                "tell": _say(
                    "恭喜升级为{tier}",
                    "{member}，您已是{tier}。积分倍率和专属礼遇即刻生效，感谢一路相伴。",
                    "tier_up",
                    "guide",
                    "pages/tier",
                ),
                "guide": _guide(
                    "会员升级道贺", "{member}您好，恭喜升级为{tier}！下次到店我给您介绍新的礼遇。", 5
                ),
            },
            re_entry={"how": "always"},
        ),
    ),
    ReadyMade(
        "tier_at_risk",
        "保级提醒",
        "快要降级时提醒；两周内没有购买的，请导购联系。",
        _begins(
            _on("tier_at_risk"),
            {
                "ten": _morning("tell"),
                "tell": _say(
                    "您的{tier}即将到期",
                    "{member}，再购物一次就有机会保住{tier}。现有 {points} 积分也可以一起用。",
                    "tier_at_risk",
                    "buys",
                    "pages/tier",
                ),
                "buys": _for("bought", 14, "", "guide"),
                "guide": _guide(
                    "保级联系", "{member}您好，您的{tier}快到期了，近期到店我帮您看看怎么保级最划算。"
                ),
            },
            re_entry={"how": "after_days", "days": 60},
            goal={"on": "bought"},
        ),
    ),
    ReadyMade(
        "asleep_1",
        "沉睡唤醒：一个月",
        "满 30 天没有购买，问候一次；两周内没有来的，送一点心意并告诉她。",
        _asleep(
            30,
            "好久不见",
            "{member}，店里到了几款适合您的新品。您还有 {points} 积分，欢迎来坐坐。",
            {
                "gift": _gift(50, "好久不见礼", "tell"),
                "tell": _say(
                    "一点心意，给您",
                    "{member}，50 积分已经放进您的账户，到店或小程序都能抵用，等您来坐坐。",
                    "marketing",
                    "",
                    "pages/points",
                ),
            },
        ),
    ),
    ReadyMade(
        "asleep_3",
        "沉睡唤醒：三个月",
        "满 90 天没有购买，问候一次；两周内没有来的，请导购联系。",
        _asleep(
            90,
            "换季了，想起您",
            "{member}，换季新品已上架，{guide}按您的喜好挑了几件。您还有 {points} 积分可以用。",
            {
                "guide": _guide(
                    "三个月未到店回访", "{member}您好，换季了，我按您之前的喜好挑了几件，发给您看看？"
                )
            },
        ),
    ),
    ReadyMade(
        "asleep_6",
        "沉睡唤醒：六个月",
        "满 180 天没有购买，送礼并告诉她；两周内没有来的，请导购联系。",
        _begins(
            {"on": "asleep", "with": {"days": 180, "at": "10:30"}},
            {
                "gift": _gift(200, "回归礼", "hello"),
                "hello": _say(
                    "200 积分，等您回来",
                    "{member}，半年没见，我们为您存了 200 积分。到店或小程序都能用，也想听听您的近况。",
                    "marketing",
                    "buys",
                    "pages/home",
                ),
                "buys": _for("bought", 14, "", "guide"),
                "guide": _guide(
                    "半年未到店回访", "{member}您好，好久不见，最近好吗？店里给您备了回归礼，有空来看看。"
                ),
            },
            re_entry={"how": "after_days", "days": 90},
            goal={"on": "bought"},
        ),
    ),
    ReadyMade(
        "win_back",
        "流失挽回",
        "满一年没有购买，一半送礼、一半只问候，图上两条路各有多少人来买，看得出哪一种更能请回来。",
        _begins(
            {"on": "asleep", "with": {"days": 365, "at": "10:30"}},
            {
                "half": {"kind": "branch_share", "with": {"percent": 50}, "next": "gift", "else": "hello"},
                "gift": _gift(500, "老友回归礼", "tell"),
                "tell": _say(
                    "500 积分，送给老朋友",
                    "{member}，您离开一年了。500 积分已到账，一年内有效，随时欢迎回来。",
                    "marketing",
                    "buys",
                    "pages/home",
                ),
                "hello": _say(
                    "老朋友，近来可好",
                    "{member}，好久不见。您的会员权益一直都在，我们也一直在这里。",
                    "marketing",
                    "buys_greeted",
                    "pages/home",
                ),
                # Each half waits at a step of its own: its numbers say which brings more of them back.
                "buys": _for("bought", 30, "thanks"),
                "buys_greeted": _for("bought", 30, "thanks"),
                "thanks": _say("欢迎回来", "{member}，再见到您真好。", "care"),
            },
            re_entry={"how": "after_days", "days": 180},
        ),
    ),
    ReadyMade(
        "coupon_expiring",
        "券到期提醒",
        "券到期前三天提醒；到期前一天还没有用的，请导购提醒。",
        _begins(
            {"on": "coupon_expiring", "with": {"days": 3, "at": "10:00"}},
            {
                "tell": _say(
                    "您的优惠券快到期了",
                    "{member}，您有券{day}到期，过期就用不了啦。到店或小程序都能用。",
                    "coupon_expiring",
                    "uses",
                    "pages/coupons",
                ),
                "uses": _for("coupon_redeemed", 2, "", "guide"),
                "guide": _guide(
                    "券到期提醒", "{member}您好，您有券{day}到期，需要我帮您留意合适的款式吗？", 1
                ),
            },
            re_entry={"how": "after_days", "days": 7},
            goal={"on": "coupon_redeemed"},
        ),
    ),
)
