"""Names and places the generated people are made of. No real person is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakehouse.sample.purchases.policy import PeoplePolicy

if TYPE_CHECKING:
    import random


class Name(NamedTuple):
    """A name as written, and in Latin letters (pinyin for Chinese names)."""

    family: str
    given: str
    latin_family: str
    latin_given: str


def words(text: str) -> list[str]:
    """Return the words of a list written as one text, which is how the lists here stay readable."""
    return text.split()


def _pairs(text: str) -> list[tuple[str, str]]:
    both = words(text)
    return list(zip(both[::2], both[1::2], strict=True))


SURNAMES = _pairs(
    "王 wang 李 li 张 zhang 刘 liu 陈 chen 杨 yang 黄 huang 赵 zhao 吴 wu 周 zhou 徐 xu 孙 sun 马 ma 朱 zhu "
    "胡 hu 郭 guo 何 he 高 gao 林 lin 罗 luo 郑 zheng 梁 liang 谢 xie 宋 song 唐 tang 许 xu 韩 han 冯 feng "
    "邓 deng 曹 cao 彭 peng 曾 zeng 肖 xiao 田 tian 董 dong 袁 yuan 潘 pan 于 yu 蒋 jiang 蔡 cai 余 yu 杜 du "
    "叶 ye 程 cheng 苏 su 魏 wei 吕 lyu 丁 ding 任 ren 沈 shen 欧阳 ouyang 司马 sima"
)
GIVEN_CHARACTERS = _pairs(
    "伟 wei 芳 fang 娜 na 敏 min 静 jing 丽 li 强 qiang 磊 lei 军 jun 洋 yang 勇 yong 艳 yan 杰 jie 娟 juan "
    "涛 tao 明 ming 超 chao 秀 xiu 霞 xia 平 ping 刚 gang 桂 gui 英 ying 华 hua 玉 yu 梅 mei 建 jian 国 guo "
    "文 wen 辉 hui 红 hong 云 yun 飞 fei 鹏 peng 宇 yu 浩 hao 欣 xin 怡 yi 佳 jia 俊 jun 雪 xue 琳 lin "
    "晨 chen 思 si 志 zhi 海 hai 春 chun 兰 lan 宁 ning 婷 ting 凯 kai 博 bo 晓 xiao 东 dong 燕 yan "
    "莉 li 峰 feng"
)
ENGLISH_GIVEN = words(
    "James Mary John Patricia Robert Linda Michael Barbara William Elizabeth David Jennifer Richard Maria "
    "Charles Susan Joseph Margaret Thomas Dorothy Christopher Lisa Daniel Nancy Paul Karen Mark Betty Donald "
    "Helen George Sandra Kenneth Donna Steven Carol Edward Ruth Brian Sharon Ronald Michelle Anthony Laura "
    "Kevin Sarah Jason Kimberly Matthew Deborah Gary Jessica Timothy Shirley Jose Cynthia Larry Angela "
    "Jeffrey Melissa Frank Brenda Scott Amy Eric Anna Stephen Rebecca Andrew Virginia Raymond Kathleen "
    "Gregory Pamela Joshua Martha Jerry Debra Dennis Amanda Walter Stephanie Patrick Carolyn Peter Christine"
)
ENGLISH_FAMILY = words(
    "Smith Johnson Williams Jones Brown Davis Miller Wilson Moore Taylor Anderson Thomas Jackson White "
    "Harris Martin Thompson Garcia Martinez Robinson Clark Rodriguez Lewis Lee Walker Hall Allen Young "
    "Hernandez King Wright Lopez Hill Scott Green Adams Baker Gonzalez Nelson Carter Mitchell Perez "
    "Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart Sanchez Morris Rogers Reed "
    "Cook Morgan Bell Murphy Bailey Rivera Cooper Richardson Cox Howard Ward Torres Peterson Gray Ramirez "
    "Watson Brooks Kelly Sanders Price Bennett Wood Barnes Ross Henderson Coleman Jenkins Perry Powell "
    "Long Patterson Hughes Flores Washington Butler Simmons Foster Bryant Alexander Russell Griffin Diaz "
    "Hayes O'Brien"
)
CHINESE_CITIES = words("北京 上海 广州 深圳 杭州 南京 成都 武汉 西安 重庆 苏州 天津 青岛 厦门 长沙")
ENGLISH_CITIES = (
    "New York",
    "Los Angeles",
    "Chicago",
    "Houston",
    "Philadelphia",
    "San Diego",
    "Detroit",
    "San Jose",
    "Seattle",
    "Denver",
    "Boston",
    "Portland",
    "Atlanta",
    "Minneapolis",
    "St. Louis",
)


def chinese_name(rng: random.Random) -> Name:
    """Draw a Chinese name; two thirds of the given names have two characters."""
    family, latin_family = rng.choice(SURNAMES)
    given, latin_given = rng.choice(GIVEN_CHARACTERS)
    if rng.random() < PeoplePolicy.two_characters:
        second, latin_second = rng.choice(GIVEN_CHARACTERS)
        given, latin_given = given + second, latin_given + latin_second
    return Name(family, given, latin_family, latin_given)


def english_name(rng: random.Random) -> Name:
    """Draw an English name."""
    family, given = rng.choice(ENGLISH_FAMILY), rng.choice(ENGLISH_GIVEN)
    return Name(family, given, family.lower().replace("'", ""), given.lower())
