"""Exports as systems and people write them: headers, values from a seed, and what each column is in core."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

Make = Callable[[random.Random, int], str]
Line = tuple[str, str | None, Make]  # header, canonical column of the entity or None, its values

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"
_FIRST = [
    "Ann",
    "Bob",
    "Carla",
    "Dmitri",
    "Eve",
    "Farid",
    "Grace",
    "Hugo",
    "Ines",
    "Jack",
    "Kim",
    "Lars",
    "Mona",
    "Nils",
    "Olga",
    "Paul",
    "Quinn",
    "Rosa",
    "Sam",
    "Tina",
]
_LAST = [
    "Lee",
    "Miller",
    "Novak",
    "Olsen",
    "Patel",
    "Quist",
    "Rossi",
    "Smith",
    "Turner",
    "Ueda",
    "Vance",
    "Weber",
    "Xu",
    "Young",
    "Zhang",
    "Adams",
    "Brown",
]
_CITIES = ["Oslo", "Berlin", "Austin", "Leeds", "Lyon", "Turin", "Porto", "Graz", "Ghent", "Malmö"]
_ZH_CITIES = ["北京", "上海", "广州", "深圳", "杭州", "成都", "武汉", "南京", "西安", "苏州"]
_COMPANIES = [
    "Acme",
    "Globex",
    "Initech",
    "Umbrella",
    "Stark",
    "Wayne",
    "Hooli",
    "Vandelay",
    "Soylent",
    "Tyrell",
]
_ZH_COMPANIES = ["华信", "恒通", "宏图", "中科", "天元", "博雅", "联创", "鼎盛", "新元", "金桥"]


@dataclass(frozen=True)
class Export:
    """One file: a name for the test, the entity it is, its columns."""

    name: str
    entity: str
    columns: tuple[Line, ...]
    file: str = "export.csv"
    rows: int = 120

    def write(self, folder: Path) -> Path:
        """Write the file; the same each time."""
        rng = random.Random(self.name)
        path = folder / self.file
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow([header for header, _, _ in self.columns])
            for number in range(self.rows):
                writer.writerow([make(rng, number) for _, _, make in self.columns])
        return path


def one_of(*words: str) -> Make:
    return lambda rng, _: rng.choice(words)


def sometimes(make: Make, share: float = 0.6) -> Make:
    return lambda rng, n: make(rng, n) if rng.random() < share else ""


def numbered(pattern: str = "{}", start: int = 10_001) -> Make:
    """Ids: every row has another."""
    return lambda _, n: pattern.format(start + n)


def grouped(pattern: str = "{}", start: int = 10_001, size: int = 3) -> Make:
    """Ids that several rows share, as lines of an order do."""
    return lambda _, n: pattern.format(start + n // size)


def line(size: int = 3) -> Make:
    return lambda _, n: str(n % size + 1)


def ref(pattern: str = "{}", least: int = 500, most: int = 560) -> Make:
    return lambda rng, _: pattern.format(rng.randint(least, most))


def amount(form: str = "{:.2f}", least: float = 5, most: float = 9000) -> Make:
    return lambda rng, _: form.format(rng.uniform(least, most))


def integer(least: int = 1, most: int = 9) -> Make:
    return lambda rng, _: str(rng.randint(least, most))


def when(form: str = "%Y-%m-%d %H:%M:%S", start: int = 2024) -> Make:
    def make(rng: random.Random, _: int) -> str:
        moment = datetime(start, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 600 * 86_400))
        text = moment.strftime(form.replace("%-", "%!"))
        return text.replace("%!d", str(moment.day)).replace("%!m", str(moment.month))

    return make


def zh_name(rng: random.Random, _: int) -> str:
    return rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2))))


def en_name(rng: random.Random, _: int) -> str:
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def first(rng: random.Random, _: int) -> str:
    return rng.choice(_FIRST)


def last(rng: random.Random, _: int) -> str:
    return rng.choice(_LAST)


def email(rng: random.Random, n: int) -> str:
    return f"{rng.choice(_FIRST).lower()}.{rng.choice(_LAST).lower()}{n}@example.{rng.choice(('com', 'org'))}"


def mobile(rng: random.Random, _: int) -> str:
    return f"1{rng.choice('3578')}{rng.randint(0, 9)}{rng.randint(0, 99_999_999):08d}"


def landline(rng: random.Random, _: int) -> str:
    return f"010-{rng.randint(60_000_000, 89_999_999)}"


def us_phone(rng: random.Random, _: int) -> str:
    return f"(212) 555-{rng.randint(100, 199):04d}"


def zh_company(rng: random.Random, _: int) -> str:
    return f"{rng.choice(_ZH_CITIES)}{rng.choice(_ZH_COMPANIES)}科技有限公司"


def company(rng: random.Random, _: int) -> str:
    return f"{rng.choice(_COMPANIES)} {rng.choice(('Ltd', 'GmbH', 'Inc'))} {rng.randint(1, 40)}"


def zh_address(rng: random.Random, _: int) -> str:
    return f"{rng.choice(_ZH_CITIES)}市海淀区中关村路{rng.randint(1, 200)}号{rng.randint(1, 30)}室"


def address(rng: random.Random, _: int) -> str:
    return f"{rng.randint(1, 900)} {rng.choice(_LAST)} Street"


def url(rng: random.Random, n: int) -> str:
    return f"www.{rng.choice(_COMPANIES).lower()}{n}.example"


def text(rng: random.Random, _: int) -> str:
    return " ".join(
        rng.choices(
            ["please", "call", "back", "about", "the", "delivery", "of", "our", "last", "order", "thanks"],
            k=6,
        )
    )


def zh_text(rng: random.Random, _: int) -> str:
    return "，".join(
        rng.choices(("已电话沟通需求", "客户要求报价", "下周再联系", "对方案比较满意", "等待审批"), k=2)
    )


def chinese_id(rng: random.Random, _: int) -> str:
    """An identity number with a right check digit, of nobody."""
    body = f"110101{rng.randint(1960, 2000)}{rng.randint(1, 12):02d}{rng.randint(1, 28):02d}{rng.randint(0, 999):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, weights, strict=True)) % 11]


city, zh_city = one_of(*_CITIES), one_of(*_ZH_CITIES)
user, zh_user = one_of("Mary Jones", "Tom Becker", "Ali Khan"), one_of("王强", "李敏", "陈静")
true_false, yes_no, zh_yes_no = one_of("true", "false"), one_of("Yes", "No"), one_of("是", "否")
product, zh_product = (
    one_of("Desk lamp", "Oak table", "Chair No 7", "Floor mat"),
    one_of("台灯", "实木餐桌", "办公椅", "地毯"),
)


def columns(*lines: tuple[str, str | None, Make]) -> tuple[Line, ...]:
    return lines


def named(exports: Sequence[Export]) -> list[str]:
    return [export.name for export in exports]
