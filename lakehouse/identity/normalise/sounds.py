"""Chinese characters by sound and by shape: toneless pinyin with the readings that surnames have.

The readings are pypinyin's, the first one of a character; `surnames.csv` says where a surname is read otherwise (单 is
shan, 仇 qiu). ü is written u, as in most passports and mailing lists.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from sys import intern
from typing import Final

from lakehouse.identity.normalise.policy import NamePolicy

HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
KANA: Final = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc]{2}")  # one alone is an ornament: 快乐の猪

# What is confused in writing by hand and in reading it: of names only, each group by its own shape.
_LOOK_ALIKE: Final = (
    "未末 士土 己已巳 戊戌戍 日曰 人入 大太犬 天夭 王玉 午牛 干千于 刀力 几九 白自 田由甲申 木本术 今令 治冶 洁浩 "
    "晴睛 昊吴 宇字 明朋 民氏 杨扬 扬场 杭抗 彬杉 林材 柏怕 波披 洋详 浩皓 娟捐 娜那 研妍 姗珊 玲铃 玲冷 珍诊 "
    "琳淋 琪棋 淇琪 璐露 佳住 桂佳 伟韦 伟纬 传伟 俊峻 俊浚 峰锋 峰蜂 岗刚 刚钢 钢纲 岚风 凤风 凡风 宾滨 斌赋 "
    "恒桓 怡治 怡冶 惠蕙 芳芬 苗茁 英莹 莹萤 茜西 莉利 菲非 微薇 雯雪 静净 青请 靖晴 颖颍 颜额 香春 季李 季秀 "
    "宣宜 密蜜 富福 蓉容 尚向 平乎 庆庄 廷延 延建 彤形 文又 昕听 晓哓 晖辉 晶品 永泳 永水 汉汗 沙纱 润闰 "
    "潇萧 焱炎 燃然 瑜渝 瑶摇 理埋 科料 绢娟 群郡 翔羊 胜性 艳色 轩斩 郎朗 郑邓 铭名 锦绵 阳阴 陈阵 陈东 "
    "项顶 顺须 马乌 鸟乌 龙尤 余佘 冼洗 沈沉 汪江 侯候 徐除 傅博 薄簿 尚肖 肖削 蔡葵 许计 贾贸 邱丘 何河 何柯 "
    "叚段 毛手 孙小 史吏 万方 石右 庞宠 童章 骆络 卞下 宋宗 宋末 伦抡 倩情 夏复 奕弈 娇骄 媛缓 孟盂 川州 帅师"
)
_INITIALS: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"))
_UMLAUT: Final = {"lv": "lu", "nv": "nu", "lyu": "lu", "nyu": "nu", "lve": "lue", "nve": "nue"}
_LONGEST_SYLLABLE: Final = 6  # zhuang
_LAST_LETTERS: Final = frozenset("aeioungrv")


@cache
def surnames() -> dict[str, tuple[str, ...]]:
    """Return every Chinese surname that is known, of one or two characters, with its toneless syllables."""
    text = (files("lakehouse.identity.normalise") / "surnames.csv").read_text("utf-8")
    return {
        row["surname"]: tuple(row["reading"].split()) or tuple(map(syllable, row["surname"]))
        for row in csv.DictReader(text.splitlines())
    }


@lru_cache(maxsize=NamePolicy.remembered_words)
def syllable(character: str) -> str:
    """Return the toneless pinyin of a character, ü as u; the character itself where there is none."""
    readings = _readings().get(ord(character))
    return _toneless(readings.split(",")[0]) if readings else character


def syllables_of(family: str, given: str) -> tuple[str, ...]:
    """Return the syllables of a Chinese name, those of the family name first, as surnames are read."""
    first = surnames().get(family) or tuple(map(syllable, family))
    return first + tuple(map(syllable, given))


@lru_cache(maxsize=NamePolicy.remembered_words)
def split_syllables(word: str) -> tuple[str, ...]:
    """Return the syllables that a word of Latin letters, in lower case, is made of; none if it is no pinyin.

    Of several ways, as pinyin is written: within a word no syllable begins with a vowel, there are as few as may be
    (`xian` is one), and the first is the longest.
    """
    if word[-1:] not in _LAST_LETTERS:
        return ()
    known = _syllables()
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(word) + 1):
        ways = []
        for start in range(max(0, end - _LONGEST_SYLLABLE), end):
            before, last = best[start], _UMLAUT.get(word[start:end], word[start:end])
            if before is not None and last in known:
                ways.append((*before, last))
        best.append(min(ways, key=_awkwardness) if ways else None)
    return best[-1] or ()


def _awkwardness(syllables: tuple[str, ...]) -> tuple[int, ...]:
    within = sum(syllable[0] in "aeo" for syllable in syllables[1:])
    return within, len(syllables), *(-len(syllable) for syllable in syllables)


@lru_cache(maxsize=NamePolicy.remembered_words)
def characters_alike(left: str, right: str) -> bool:
    """Return whether two characters may be mistaken for each other: by sound, roughly, or by shape."""
    if left == right or frozenset((left, right)) in _shapes():
        return True
    sounds = syllable(left), syllable(right)
    return sounds[0].isascii() and _rough(sounds[0]) == _rough(sounds[1])


def _rough(sound: str) -> str:
    """Return a syllable as speakers from the south say it: no retroflex, no difference of n and l, -n and -ng."""
    for written, said in _INITIALS:
        if sound.startswith(written):
            sound = said + sound[len(written) :]
            break
    return sound[:-1] if sound.endswith(("ang", "eng", "ing")) else sound


@cache
def _shapes() -> frozenset[frozenset[str]]:
    groups = _LOOK_ALIKE.split()
    return frozenset(frozenset((one, other)) for group in groups for one in group for other in group)


@cache
def _readings() -> dict[int, str]:
    # The package would read its words, too, on import: 50 MiB, and 0.2 s. Only its characters are asked for.
    package = find_spec("pypinyin")
    assert package is not None  # noqa: S101 - it is a dependency
    assert package.origin is not None  # noqa: S101 - likewise
    listed = json.loads((Path(package.origin).parent / "pinyin_dict.json").read_text("utf-8"))
    return {int(character): intern(readings) for character, readings in listed.items()}


@cache
def _syllables() -> frozenset[str]:
    """Return the toneless syllables that have a vowel: interjections such as `hm` spell no name."""
    found = {_toneless(reading) for readings in _readings().values() for reading in readings.split(",")}
    return frozenset(sound for sound in found if re.search("[aeiou]", sound))


def _toneless(reading: str) -> str:
    letters = unicodedata.normalize("NFD", reading)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
