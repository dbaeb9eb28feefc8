"""`python -m tests.support.encoding_scores`: what becomes of small files in many encodings that nobody stated.

Each file has rows of names and words of one language; by rows and by kind of encoding it is counted how many are read
right, wait until somebody states their encoding, are read but for rows that are set aside, or are read wrongly.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter, defaultdict
from contextlib import suppress

from lakehouse.errors import BadFile
from lakehouse.sources.formats.encoding import as_utf8

FORMS = ["{},x", "1,{},x", "{}", "{};{}", "1,plain,x"]
WORDS = {
    "euc-kr": "김철수 박영희 이민호 서울특별시 강남구 홍 김 대한상사 부산 정다은",
    "euc-jp": "山田太郎 鈴木花子 東京都 大阪 株式会社 佐藤さん スズキ 平 町 横浜市",
    "shift_jis": "山田太郎 鈴木花子 東京都 大阪 ﾔﾏﾀﾞ ﾐﾔﾓﾄ ソニー 能力 表 予約",
    "big5": "王小明 陳美玲 臺北市 高雄市 許功蓋 林 大安區 客戶 電話 張先生",
    "gb18030": "王小明 李娜 上海 北京 谢 袁 张伟 有限公司 客户 联通",
    "cp1252": "Müller Zoë Köln ÄÖ Groß Señor Málaga À ÜBER façade",
    "iso-8859-15": "Müller Œuvre Žižek Šimon ÄÖÜ œil 5€ Ÿ MÜNCHEN château",
    "cp1250": "Łódź Późny ŹRÓDŁO ŻÓŁĆ Dvořák ČŠŽ Kőszeg PÓŹNY ŚWIĘTY Ž",
    "cp1251": "Иван Москва ДОМА рука МОСКВА ОКНО я вода Україна Ёж",
    "koi8-r": "Иван Москва дома рука окно вода мама я Ольга Ёж",
    "cp1253": "Αθήνα Γιώργος ΑΘΗΝΑ πελάτης ώρα Ω οδός ΟΔΟΣ τιμή Ελλάδα",
    "tis-620": "กรุงเทพ สมชาย น้ำ ไทย ประเทศไทย ก สวัสดี เชียงใหม่ ภูเก็ต ชื่อ",
}
CHINESE = (
    "王小明 李娜 上海市浦东新区 北京 谢婷 袁浩 张伟 刘洋 有限公司 客户 联通 广州市天河区 成都 杭州西湖区 "
    "陈静 杨帆 黄磊 周敏 吴刚 徐丽 孙悦 马超 朱琳 胡军 郭敬 何平 高翔 林峰 罗兰 郑爽 "
    "梁山 宋词 唐诗 许诺 韩梅 冯程 邓超 曹操 彭湃 曾经"
)
_UNICODE = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")
_ROWS = (1, 2, 3, 5, 10, 30)
_FILES = 60  # of each encoding and number of rows


def is_utf8_by_chance(body: bytes) -> bool:
    """Tell whether bytes of another encoding are valid UTF-8, too."""
    with suppress(UnicodeDecodeError):
        return bool(body.decode())
    return False


def outcome(text: str, body: bytes) -> str:
    """Return what becomes of a file: right, waits, rows aside, or WRONG."""
    try:
        lines = b"".join(as_utf8(iter([body]))).split(b"\n")
    except BadFile:
        return "waits"
    written = set(text.split("\n"))
    read = 0
    for line in lines:
        with suppress(UnicodeDecodeError):
            if line.decode() not in written:
                return "WRONG"
            read += 1
    return "right" if read == len(lines) else "rows aside"


def scores() -> dict[str, dict[int, Counter[str]]]:
    """Return outcomes by kind of encoding and number of rows; words that are UTF-8 by chance are left out."""
    chance = random.Random(7)
    counts: dict[str, dict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for encoding, words in (WORDS | {"gb18030": CHINESE}).items():
        foreign = [word for word in words.split() if not is_utf8_by_chance(word.encode(encoding))]
        for kind, name in (
            ("GB 18030" if encoding == "gb18030" else "others", encoding),
            *(("Unicode", each) for each in _UNICODE),
        ):
            for rows in _ROWS:
                for _ in range(_FILES):
                    text = _text(foreign, rows, chance)
                    with suppress(UnicodeEncodeError):
                        if not text.isascii():
                            counts[kind][rows][outcome(text, text.encode(name))] += 1
    return counts


def _text(words: list[str], rows: int, chance: random.Random) -> str:
    form = chance.choice(FORMS)
    return "\n".join(form.format(chance.choice(words), chance.choice(words)) for _ in range(rows)) + "\n"


def main(arguments: list[str]) -> int:
    """Print the outcomes; return 1 when more than one file of a thousand is read wrongly."""
    counts = scores()
    if "--json" in arguments:
        lines = [json.dumps(counts)]
    else:
        lines = [
            f"{kind:<10} {rows:>3} rows  {dict(outcomes)}"
            for kind, by_rows in counts.items()
            for rows, outcomes in by_rows.items()
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    files = sum(sum(outcomes.values()) for by_rows in counts.values() for outcomes in by_rows.values())
    wrong = sum(outcomes["WRONG"] for by_rows in counts.values() for outcomes in by_rows.values())
    sys.stderr.write(f"{wrong} of {files:,} files are read wrongly\n")
    return int(wrong * 1000 > files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
