"""The templates that the demo's accounts have in the sandbox, one for each occasion on which members are told something."""

from typing import Any, Final

# Id, title, then a line for each field: label, field, example.
_OCCASIONS: Final = """
purchase 消费成功通知
商品名称 thing1 羊毛双面呢大衣等2件
消费金额 amount2 1899.00元
消费门店 thing3 素衣湖滨银泰店
消费时间 time4 2026年11月28日 15:20

points 积分变动提醒
变动原因 thing1 购物获得
变动数量 character_string2 +189
积分余额 number3 1024
变动时间 time4 2026年11月28日 15:20

points_expiring 积分到期提醒
到期积分 number1 300
到期时间 date2 2026年12月31日
温馨提示 thing3 到期后自动清零，请尽快使用

coupon 优惠券到账通知
优惠券名称 thing1 满1000减120
有效期至 date2 2026年12月31日
使用说明 thing3 到店出示会员码即可使用

coupon_expiring 优惠券过期提醒
优惠券名称 thing1 满1000减120
过期时间 date2 2026年12月31日
剩余数量 number3 2

tier_up 会员升级通知
会员姓名 name1 小美
当前等级 thing2 金卡会员
升级时间 time3 2026年11月28日 15:20

tier_at_risk 会员保级提醒
当前等级 thing1 金卡会员
到期日期 date2 2026年12月31日
还差金额 amount3 800.00元

guide_changed 专属导购变更通知
新导购 name1 李娜
所在门店 thing2 素衣湖滨银泰店
变更时间 time3 2026年11月28日 15:20

request_step 服务进度提醒
服务项目 thing1 改裤长
当前进度 phrase2 已完成
更新时间 time3 2026年11月28日 15:20

task 预约到店提醒
预约门店 thing1 素衣湖滨银泰店
预约时间 time2 2026年11月29日 10:00
服务导购 name3 李娜

campaign 活动通知
活动名称 thing1 双十二会员日
活动说明 thing2 您看过的款式有礼遇
"""


def templates(prefix: str) -> list[dict[str, Any]]:
    """As the sandbox takes them; `prefix` tells the accounts' ids apart."""
    made = []
    for block in _OCCASIONS.strip().split("\n\n"):
        head, *lines = block.splitlines()
        name, title = head.split(" ", 1)
        fields = [line.split(" ", 2) for line in lines]
        made.append(
            {
                "template_id": f"{prefix}-{name}",
                "title": title,
                "content": "\n".join(f"{label}:{{{{{field}.DATA}}}}" for label, field, _example in fields),
                "example": "\n".join(f"{label}:{example}" for label, _field, example in fields),
            }
        )
    return made
