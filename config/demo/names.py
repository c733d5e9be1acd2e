"""Chinese names for the demo chain, put together from weighted surnames and common characters."""

import random

# Surname and how many of a thousand people bear it, roughly.
SURNAMES = {
    "王": 71, "李": 70, "张": 66, "刘": 52, "陈": 48, "杨": 30, "黄": 22, "赵": 21, "吴": 20, "周": 20,
    "徐": 17, "孙": 16, "马": 13, "朱": 13, "胡": 12, "郭": 12, "何": 12, "林": 11, "高": 10, "罗": 9,
    "郑": 9, "梁": 8, "谢": 8, "宋": 7, "唐": 7, "许": 7, "韩": 6, "邓": 6, "冯": 6, "曹": 6,
    "彭": 6, "曾": 5, "肖": 5, "田": 5, "董": 5, "潘": 5, "袁": 5, "蔡": 5, "蒋": 5, "余": 5,
    "于": 4, "杜": 4, "叶": 4, "程": 4, "魏": 4, "苏": 4, "吕": 4, "丁": 4, "任": 4, "卢": 4,
    "姚": 3, "沈": 3, "钟": 3, "姜": 3, "崔": 3, "谭": 3, "陆": 3, "范": 3, "汪": 3, "廖": 3,
    "石": 3, "金": 3, "贾": 3, "夏": 2, "方": 2, "邹": 2, "熊": 2, "白": 2, "孟": 2, "秦": 2,
    "欧阳": 1, "上官": 1,
}  # fmt: skip
HER_FIRST = "雅婉思欣晓佳梦雨诗静文慧语若安子紫映书清海春秋小玉"
HER_LAST = "婷琳怡涵洁颖萱妍琪瑶雯蕾蓉芸莹岚楠菲桐宁悦淇敏霞"
HER_SINGLE = "静敏丽娟燕玲倩萍颖蕾婷雪芳琳洁岚瑾薇"
HIS_FIRST = "志建俊宇浩文嘉子天明晓海永国立泽一承睿景家"
HIS_LAST = "伟强军杰涛鹏辉博轩宁峰毅恒远凯斌铭航然晨"
HIS_SINGLE = "伟强磊军勇杰涛超刚平辉鹏飞波凯"

_SURNAMES, _WEIGHTS = list(SURNAMES), list(SURNAMES.values())


def new_name(dice: random.Random, *, is_female: bool) -> str:
    """One name; the dice decide, so the same dice give the same people."""
    surname = dice.choices(_SURNAMES, _WEIGHTS)[0]
    if dice.random() < 0.18:
        return surname + dice.choice(HER_SINGLE if is_female else HIS_SINGLE)
    first, last = (HER_FIRST, HER_LAST) if is_female else (HIS_FIRST, HIS_LAST)
    return surname + dice.choice(first) + dice.choice(last)


def new_names(dice: random.Random, count: int, *, taken: set[str]) -> list[str]:
    """Different names, mostly women's, none of them taken."""
    names: list[str] = []
    seen = set(taken)
    while len(names) < count:
        name = new_name(dice, is_female=dice.random() < 0.85)
        if name not in seen:
            seen.add(name)
            names.append(name)
    return names
