"""Whether bytes that are no UTF-8 are Chinese in GB 18030, and how much speaks for it.

Two bytes of nearly every encoding are some character of GB 18030: of a few of them nobody can tell. In Chinese, five of
six different characters are among the most common ones below; where the bytes are Korean, Japanese, Russian or anything
else, one of five is. So it is counted of the first different characters how many more are common than not.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from lakehouse.sources.formats.policy import ChinesePolicy

_GB18030 = re.compile(
    rb"(?P<symbol>[\xa1-\xa3][\xa1-\xfe])"
    rb"|(?P<first_level>[\xb0-\xd7][\xa1-\xfe])"  # of GB 2312, in order of pinyin
    rb"|(?P<second_level>[\xd8-\xf7][\xa1-\xfe])"  # in order of radicals: rarer ones
    rb"|(?P<other>[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[0-9][\x81-\xfe][0-9]))"
    rb"|(?P<broken>[\x80-\xff])"
)
# What prose, names, addresses and the headers of tables are mostly made of, in the order of GB 2312.
_COMMON_CHARACTERS = (
    "安澳把白板办保报北备被本比笔必边编便变表别斌滨并波不部才蔡藏曹层查产昌场常长畅超朝晨陈称城成程出除处川传创春此次"
    "从崔村达打大戴带代待丹单但当岛导到道德得的等邓地第递点电店淀调丁定订东冬董动栋都杜度段队对多额而儿尔二发法帆凡反"
    "范芳方放非飞肥分份峰冯凤服福傅付负该改干甘感刚港高告格个各给根跟更工龚公共购古股顾关观管光广规桂贵郭国果过哈海韩"
    "汉杭郝好号浩和何合河贺黑很红侯候后胡湖户花华化话欢还黄辉徽回慧惠会汇活或货基机积吉集及即级几己技季济计记纪佳家加"
    "贾价间见件健建姜将江疆蒋交教接街阶杰洁结解界金今津进晶京经静就拒据娟觉决绝军俊开凯看康科可克客空孔口快款昆拉来赖"
    "兰老乐雷磊类黎离理李里丽利立力联连梁两量辽了廖林玲领刘流柳龙楼卢路录陆吕论罗络码马买毛贸么梅没美门们蒙孟面民敏明"
    "名命目那娜南男难内能你年宁农弄女潘彭鹏批品平浦期其起气钱前强乔切且秦琴青清情庆邱求区渠取去权全券却确然让热人任认"
    "日如入瑞三色沙山删陕商上少邵社设身深神沈审声生省师十石时什实识史使式世事是市室收手售受淑书术数帅水说斯思司死四宋"
    "苏肃算孙索所他它她台太态谭汤唐涛特提题体天田条听通同统头团退外湾完万汪王网望为伟未魏位温文问我无吴武五物务西息喜"
    "系霞下厦夏先现县限线相香箱乡想项巷像向象萧销消小些谢欣新心信型形行性姓熊秀徐许旭选薛学雪岩颜阎眼艳杨洋阳养样姚药"
    "要也业叶一已以易意义议因音银尹英应莹影勇用优由邮有又于余雨与宇玉元袁原园员源院月云运再在早造责则曾展战站张赵者这"
    "浙珍真镇争正政郑支知之职直址指只志至制质治中钟种重周州朱主住注庄装状着资子自字总邹走最做作座倩圳婷鑫"
)
_COMMON = frozenset(character.encode("gb18030") for character in _COMMON_CHARACTERS)
# Encodings of several bytes a character, which the names in a header tell apart.
_BY_NAMES = ("gb18030", "big5", "cp949", "euc_jp", "cp932")


@dataclass
class _Census:
    """How many characters of each region of GB 18030 a text has, and the first different ones of its two levels."""

    symbol: int = 0
    first_level: int = 0
    second_level: int = 0
    other: int = 0
    broken: int = 0
    different: frozenset[bytes] = frozenset()

    @property
    def hanzi(self) -> int:
        """Return the characters within the two levels of GB 2312."""
        return self.first_level + self.second_level

    @property
    def characters(self) -> int:
        """Return the characters that are not broken."""
        return self.hanzi + self.symbol + self.other

    @property
    def has_shape(self) -> bool:
        """Return whether its characters are of the regions that Chinese is written with."""
        return (
            self.hanzi > 0
            and self.broken * ChinesePolicy.broken_one_in <= self.characters
            and self.other * ChinesePolicy.other_one_in <= self.characters
            and self.second_level * ChinesePolicy.rare_one_in <= self.hanzi
        )

    @property
    def evidence(self) -> int:
        """Return how many more of the first different characters are common ones than are not."""
        common = len(self.different & _COMMON)
        return common - (len(self.different) - common)


def is_chinese(window: bytes) -> bool:
    """Tell whether the window is text in GB 18030; in doubt it is not, since wrong characters would pass unseen.

    Nearly all characters have both bytes in the region of GB 2312 (Latin-1, Big5 and Shift JIS do not), nearly none is
    broken (words of odd length break every single-byte encoding: KOI8-R, CP1251), and there is evidence enough.
    """
    census = _census(window)
    return census.has_shape and census.evidence >= ChinesePolicy.evidence


def may_be_chinese(window: bytes) -> bool:
    """Tell whether nothing speaks against GB 18030, however little speaks for it."""
    return _census(window).has_shape


def _census(window: bytes) -> _Census:
    counts = dict.fromkeys(_GB18030.groupindex, 0)
    different: set[bytes] = set()
    for match in _GB18030.finditer(window):
        region = match.lastgroup or "broken"
        counts[region] += 1
        if region in ("first_level", "second_level") and len(different) < ChinesePolicy.different_characters:
            different.add(match[0])
    return _Census(**counts, different=frozenset(different))


def encoding_by_names(window: bytes, names: Collection[str]) -> str | None:
    """Return the encoding in which the window holds names that a mapping expects in a header; None where none does.

    Of single-byte encodings it does not tell: many of them write one name alike.
    """
    foreign = {name for name in names if not name.isascii()}
    for encoding in _BY_NAMES:
        found = (name for name in foreign if _encoded(name, encoding) in window)
        if sum(map(_letters_beyond_ascii, found)) >= ChinesePolicy.letters_of_names:
            return encoding
    return None


def _encoded(name: str, encoding: str) -> bytes:
    """Return a name as the encoding writes it; what no window holds, where it cannot."""
    try:
        return name.encode(encoding)
    except UnicodeEncodeError:
        return b"\0" * len(name)


def _letters_beyond_ascii(name: str) -> int:
    return sum(not letter.isascii() for letter in name)
