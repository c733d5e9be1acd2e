"""What the demo chain sells: goods with their prices, and how often each is bought."""

import dataclasses
import random
from typing import Final

from sales.contracts import OrderLine


@dataclasses.dataclass(frozen=True, slots=True)
class Goods:
    """One product; the price in fen, `weight` how often it is taken."""

    code: str
    name: str
    category: str
    price_fen: int
    weight: int


CATEGORIES: Final = {
    "tops": "上装",
    "shirts": "衬衫",
    "trousers": "裤装",
    "dresses": "连衣裙",
    "coats": "外套",
    "bags": "包袋",
    "accessories": "配饰",
}
GOODS: Final = (
    Goods("TP-1101", "素色圆领针织衫", "tops", 29_900, 12),
    Goods("TP-1108", "羊毛高领打底衫", "tops", 39_900, 9),
    Goods("TP-1120", "棉麻短袖上衣", "tops", 19_900, 10),
    Goods("SH-2207", "真丝衬衫", "shirts", 59_900, 6),
    Goods("SH-2215", "亚麻立领衬衫", "shirts", 35_900, 9),
    Goods("SH-2231", "免烫通勤衬衫", "shirts", 29_900, 11),
    Goods("PT-3302", "垂感阔腿裤", "trousers", 39_900, 10),
    Goods("PT-3310", "高腰直筒牛仔裤", "trousers", 32_900, 9),
    Goods("PT-3318", "羊毛西装裤", "trousers", 49_900, 5),
    Goods("DR-4403", "法式茶歇连衣裙", "dresses", 69_900, 6),
    Goods("DR-4411", "针织中长裙", "dresses", 45_900, 7),
    Goods("DR-4426", "香云纱旗袍裙", "dresses", 159_900, 1),
    Goods("CT-5501", "双面羊绒大衣", "coats", 259_900, 2),
    Goods("CT-5509", "轻薄羽绒服", "coats", 89_900, 4),
    Goods("CT-5517", "风衣外套", "coats", 79_900, 4),
    Goods("BG-0031", "牛皮托特包", "bags", 69_900, 3),
    Goods("BG-0044", "帆布单肩包", "bags", 12_900, 6),
    Goods("AC-6602", "羊绒围巾", "accessories", 25_900, 8),
    Goods("AC-6615", "真丝方巾", "accessories", 15_900, 7),
    Goods("AC-6620", "皮质腰带", "accessories", 19_900, 4),
)
_WEIGHTS: Final = tuple(one.weight for one in GOODS)
# Basis points of the list price, and how often.
_PRICES: Final = ((10_000, 60), (9_000, 22), (8_000, 13), (7_000, 5))


def new_lines(dice: random.Random, *, off_fen: int = 0) -> tuple[OrderLine, ...]:
    """One to four products, some of them marked down, `off_fen` taken off the dearest of them as far as it goes."""
    count = dice.choices((1, 2, 3, 4), (52, 30, 13, 5))[0]
    chosen = list(dict.fromkeys(dice.choices(GOODS, _WEIGHTS, k=count)))
    rate = dice.choices([rate for rate, _weight in _PRICES], [weight for _rate, weight in _PRICES])[0]
    lines = [_line(one, 2 if dice.random() < 0.06 else 1, rate) for one in chosen]
    return lines_less(tuple(lines), off_fen)


def lines_less(lines: tuple[OrderLine, ...], off_fen: int) -> tuple[OrderLine, ...]:
    """`off_fen` taken off the dearest of the lines, as far as it goes."""
    if not off_fen:
        return lines
    first, *others = sorted(lines, key=lambda line: -line.amount_fen)
    return dataclasses.replace(first, amount_fen=max(0, first.amount_fen - off_fen)), *others


def _line(one: Goods, quantity: int, rate_bp: int) -> OrderLine:
    listed = one.price_fen * quantity
    return OrderLine(
        product_code=one.code,
        product_name=one.name,
        category_code=one.category,
        category_name=CATEGORIES[one.category],
        quantity=quantity,
        list_fen=listed,
        amount_fen=listed * rate_bp // 1_000_000 * 100,
    )
