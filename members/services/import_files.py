"""Why a row of a file of members is bad."""

from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext as _

from members.services.import_columns import TARGETS

REASONS: Final[Mapping[str, Callable[[], str]]] = {
    "phone_scientific": lambda: _("被表格软件变成了科学计数，请把这一列设成文本后重新填"),
    "phone_masked": lambda: _("手机号中间是星号，请填写完整号码"),
    "phone_landline": lambda: _("这是座机或客服电话，请填写手机号"),
    "phone_unusable": lambda: _("不是 11 位手机号"),
    "name_too_long": lambda: _("姓名超过 60 个字"),
    "name_unusable": lambda: _("不像姓名"),
    "gender_unusable": lambda: _("认不出性别，请填写男或女"),
    "date_lunar": lambda: _("是农历日期，请填写公历"),
    "date_two_digit_year": lambda: _("年份只有两位，请填写四位年份"),
    "date_order_unclear": lambda: _("分不清月和日，请写成 1990-05-01"),
    "date_no_year": lambda: _("没有年份"),
    "date_unusable": lambda: _("不是日期，请写成 1990-05-01"),
    "date_future": lambda: _("日期在今天之后"),
    "date_too_early": lambda: _("日期太早，请核对年份"),
    "points_unusable": lambda: _("不是数字"),
    "points_fraction": lambda: _("积分要是整数"),
    "points_negative": lambda: _("积分不能是负数"),
    "points_too_many": lambda: _("数字太大，请核对"),
    "card_scientific": lambda: _("被表格软件变成了科学计数，请把这一列设成文本后重新填"),
    "card_unusable": lambda: _("卡号里有不能用的字符，或超过 80 位"),
    "wechat_id_unusable": lambda: _("不像微信给的编号"),
    "too_many_tags": lambda: _("标签超过 20 个"),
    "tag_too_long": lambda: _("有标签超过 20 个字"),
    "address_unclear": lambda: _("认不出是哪个省市区，请从省或市写起"),
    "too_long": lambda: _("超过 120 个字"),
    "too_many_cells": lambda: _("这一行的格子比表头多，内容可能错位了"),
    "no_identity": lambda: _("手机号、卡号等都没有填，认不出是谁"),
}


def reason_words(reason: str) -> str:
    """phone:phone_landline → 手机号：这是座机…"""
    target, _colon, code = reason.partition(":")
    words = REASONS[code]() if code in REASONS else code
    return f"{TARGETS[target]}：{words}" if target in TARGETS else words
