"""What the company sells: products in categories, their prices over time, and weeks of promotion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from lakehouse.sample.company.policy import PricePolicy
from lakehouse.sample.company.random_arrays import Flags, Ints, random_stream
from lakehouse.sample.company.units import DAYS_A_WEEK
from lakehouse.sample.purchases.names import words

if TYPE_CHECKING:
    from lakehouse.sample.company.world.days import History

BABY, CHOCOLATE, COFFEE, HOUSEHOLD, APPAREL, SNACKS, BEAUTY, STATIONERY = range(8)
CATEGORIES = words("baby chocolate coffee household apparel snacks beauty stationery")
FAVOURITES = (HOUSEHOLD, APPAREL, SNACKS, BEAUTY, STATIONERY)
REGULAR = (*FAVOURITES, COFFEE)  # what everybody buys now and then; coffee some do in a fixed cycle
COMPANIONS = (HOUSEHOLD, SNACKS)  # what goes along with something else
# name, first list price in yuan
_NAMES_AND_PRICES = {
    BABY: "婴儿纸尿裤 129 婴儿湿巾 39 幼儿配方奶粉 268 婴儿连体衣 89 安抚奶嘴 35 儿童绘本 45",
    CHOCOLATE: "黑巧克力 32 牛奶巧克力 28 榛子巧克力 36 夹心巧克力 42 巧克力礼盒 128 可可粉 38",
    COFFEE: "咖啡豆 88 挂耳咖啡 59 速溶咖啡 45 冷萃咖啡液 69 咖啡胶囊 99 咖啡滤纸 25",
    HOUSEHOLD: "洗衣液 49 抽纸 29 洗洁精 19 垃圾袋 16 收纳箱 59 保鲜盒 39",
    APPAREL: "纯棉衬衫 159 针织毛衣 229 运动裤 139 羽绒服 499 连衣裙 269 运动鞋 329",
    SNACKS: "坚果礼盒 98 薯片 12 牛肉干 58 曲奇饼干 26 水果干 32 海苔 18",
    BEAUTY: "保湿面霜 139 洁面乳 69 防晒霜 99 口红 129 面膜 79 护手霜 35",
    STATIONERY: "笔记本 18 中性笔 15 文件夹 12 水彩笔 39 台灯 119 书包 149",
}
PRODUCTS_A_CATEGORY: Final = 6


@dataclass(frozen=True)
class Catalogue:
    """Products 0..47, six a category; prices in fen (hundredths of a yuan).

    `prices` has shape (products, 2): before and from day `rises`, of shape (products,). `promoted` has shape
    (categories, weeks).
    """

    names: list[str]
    prices: Ints
    rises: Ints
    promoted: Flags

    @property
    def ids(self) -> list[str]:
        """The products' numbers in the shop."""
        return [f"P{number + 1001}" for number in range(len(self.names))]

    def list_price(self, product: Ints, day: Ints) -> Ints:
        """Return what a product costs on a day without a promotion, in fen."""
        return self.prices[product, (day >= self.rises[product]).astype(np.int64)]

    def unit_price(self, product: Ints, day: Ints) -> Ints:
        """Return what a product costs on a day, in fen, rounded to ten."""
        full = self.list_price(product, day)
        reduced = np.rint(full * (1 - PricePolicy.discount) / 10).astype(np.int64) * 10
        is_promoted = self.promoted[product // PRODUCTS_A_CATEGORY, day // DAYS_A_WEEK]
        return np.where(is_promoted, reduced, full)


def make_catalogue(seed: int, history: History) -> Catalogue:
    """Return the company's products; they depend on the seed alone."""
    rng = random_stream(seed, "catalogue")
    names_and_prices = words(" ".join(_NAMES_AND_PRICES[category] for category in range(len(CATEGORIES))))
    yuan = [int(price) for price in names_and_prices[1::2]]
    first_fen = np.array(yuan, np.int64) * 100
    later_fen = np.rint(first_fen * PricePolicy.rise / 100).astype(np.int64) * 100
    return Catalogue(
        names=names_and_prices[::2],
        prices=np.stack([first_fen, later_fen], axis=1),
        rises=rng.integers(*PricePolicy.rise_days, len(first_fen)),
        promoted=rng.random((len(CATEGORIES), history.weeks)) < PricePolicy.promoted,
    )
