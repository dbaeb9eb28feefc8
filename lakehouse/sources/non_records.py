"""Lines of a table that are no records: repeated headers, totals, footers, rules, empty rows.

This page holds the words and the rule; `lakehouse.ingest.reading.non_record_sql` asks them of rows in SQL. A row is no
record if

1. no cell of it holds anything;
2. every cell that holds something holds the name of its own column: the header once more, as `cat` leaves it; where
   several cells are filled, in any of the names that the mapping has for that column;
3. its first filled cell is one of `TOTALS`, all others are numbers, counts (120人), currencies or empty, and none of
   them says who it is: those that must be there are empty, those of the key and personal ones have no seven digits, as
   a phone has. A person called Total has an id, an e-mail, a phone. One of `PART_TOTALS` (North region total) needs a
   number beside it, since it may be a company's name;
4. its first filled cell begins as one of `FOOTERS` does and nothing else is filled; or it is a label with a colon
   (制表人：样甲), or a label and another one stands in the row, and none of the cells says who it is;
5. all filled cells are rules of dashes and the like, or control characters, as at the end of a file of DOS;
6. nothing but the key is filled, and holds several words: no id does. A record that is cut by another delimiter than
   the header does, too, so where several of these are in it it is one;
7. several cells are filled, and all of them with words that stand for nothing (N/A, -, 无), or say of a form what to
   write there (必填, 选填, required, string); or the first says that the row is an example of how to fill it in.

In delimited text a row of fewer fields than the header needs less: a footer's own commas cut it, so 4 does not ask for
the other cells. Behind a blank line a row is none that has no delimiter, in a table of several columns, or in one of
three and more a single cell that holds several words.

Patterns are of the kind that both Python and RE2 read, of texts in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CODE: Final = "not_a_record"
REASON: Final = "the line is a header, a total, a footer or empty, and no record"

TOTALS: Final = (
    "(?:grand |sub ?|running |overall |report )?totals?", "sum", "sums", "sub-total", "grand sum", "sum total",
    "overall", "summary", "trailer", "trl", "gesamt", "gesamtsumme", "gesamtergebnis", "insgesamt", "summe",
    "zwischensumme", "endsumme", "total (?:général|general|geral|generale|gesamt)", "sous-total", "totaux",
    "totales", "totale", "totaal", "subtotaal", "suma", "somme", "razem", "итого", "всего", "合[ \u3000]*计",
    "总[ \u3000]*计", "小[ \u3000]*计", "共[ \u3000]*计", "总[ \u3000]*和", "总[ \u3000]*额", "合計", "小計", "総計",
    "average", "avg", "count", "durchschnitt", "mittelwert", "anzahl", "平均值?", "计数", "件数",
    r"(?:sum|count|average) of .{1,40}", r"(?:grand )?totals? ?\([^()]*\)", r"(?:grand )?totals?: ?[^0-9 ].{0,40}",
    "总数", "汇[ \u3000]*总", "本页(?:合|小)计", "累[ \u3000]*计", "합계", "총계", "소계", "계",
    "(?:合计|总计|小计)(?:金额|数量|人数|笔数|件数|数|额)", "(?:金额|数量|人数|笔数|件数)(?:合计|总计|小计)",
    "总?(?:记录|条|行|人|笔|户)数", "最大值", "最小值", "中位数", "maximum", "minimum", "median",
    "(?:record|row|line|item) count",
    "total (?:records|rows|lines|amount|quantity|qty|count|sum|orders|customers|contacts)", "(?:genel |ara )?toplam",
    "totale (?:complessivo|generale|parziale)", "łącznie", "suma (?:końcowa|częściowa)", "σύνολο", "celkem", "összesen",
    "yhteensä", "totalt", "i alt", "общий итог", "[∑σς]",
)  # fmt: skip

# Totals of a part of the rows, by the part's name.
PART_TOTALS: Final = (
    ".+[ _:–—-](?:grand |sub[ -]?)?totals?", "(?:grand |sub[ -]?)?totals? (?:for|of|in|per|by) .+",
    "(?:zwischen|gesamt)?summe (?:von|für|der|des) .+", "sous-total .+", "subtotal .+",
    ".+[ _：:-]?(?:合计|小计|总计|合計|小計|總計)", "итого по .+", "всего по .+",
)  # fmt: skip

_MADE = "generated|created|exported|printed|prepared|produced|compiled|downloaded|extracted|run"
_PEOPLE = "制表人?|制单人?|填表人?|填报人|经办人|审核人?|审批人|复核人?|批准人|导出人|打印人|报表生成人"
_TIMES = "制表|制单|填表|填报|导出|打印|统计|报表|生成|下载|查询|截止|数据"
_COUNTS = "总记录数|记录总数|总条数|总人数|总笔数|总行数|记录数|行数|条数|人数|合计人数|数据总量"
_ENTRIES = (
    "rows?|records?|entries|entry|results?|items?|lines?|contacts?|accounts?|leads?|orders?|transactions?"
)
_COUNTED = "affected|selected|returned|found|exported|in set|in total|total|processed|listed|shown"
_DOCUMENTS = "file|report|data|export|list|document|records"
_BY_WHOM = "制表|制单|填表|填报|经办|审核|审批|复核|批准|核准|导出|打印|出纳|会计|主管|负责"
_COUNT_WORDS = (
    "nombre total|toplam (?:kayıt|satır)|всего(?: записей| строк)?|количество(?: записей| строк)?"
    "|total de (?:registros|filas|linhas)|numero totale|aantal(?: rijen| records)?|antal"
    "|liczba (?:rekordów|wierszy)|počet|総件数|全件数"
)

_REMARKS = (
    "showing|filters?|sort(?:ed)? by|group(?:ed)? by|source|quelle|fuente|fonte|notes?|hinweis|anmerkung|nota"
)

FOOTERS: Final = (
    rf"(?:this )?(?:report |file |list |data )?(?:was )?(?:{_MADE}) (?:by|on|at|from|with|using)(?:[ :].*)?$",
    r"(?:report|export|run|print|extract)(?:ed)? (?:date|time|generated|run|created|by|name|title)s? ?:.*$",
    r"(?:strictly |highly )?(?:private (?:and|&) )?confidential(?: information\b.*| ?[-–—.:,].*)?$",
    r"(?:for )?internal use only.*$",
    r"(?:copyright|©|\(c\)) ?(?:\(c\)|©|[0-9]{4}|by ).*$",
    r"all rights reserved\.?$",
    r"(?:page|seite|pagina|página|pág\.?|strona) ?[0-9]+(?: ?(?:of|/|von|de|di|van|z|sur) ?[0-9]+)?$",
    r"第 ?[0-9]+ ?[页頁](?:.*)$",
    r"共 ?[0-9]+ ?[页頁](?:.*)$",
    rf"\(?(?:total of )?[0-9][0-9,.]* (?:{_ENTRIES})(?: (?:{_COUNTED})\b.*)?\)?\.?$",
    rf"(?:total |number of |no\. of |count of )?(?:{_ENTRIES})(?: (?:count|{_COUNTED}))? ?[:=] ?[0-9][0-9,.]*$",
    r"(?:total )?(?:record|row|line|item) ?count ?[:=]? ?[0-9].*$",
    r"共 ?(?:计 ?)?[0-9][0-9,]* ?(?:条|行|项|笔|个|名|人|件|户|位|单|家|筆|件)(?:.*)$",
    rf"(?:{_COUNTS}) ?[:：]? ?[0-9].*$",
    rf"(?:{_PEOPLE})(?: ?[:： ].*)?$",
    rf"(?:{_TIMES})(?:日期|时间|单位|来源|范围|条件) ?[:： ].*$",
    r"(?:制表|制单|填表|打印|导出)(?:日期|时间)$",
    r"以上(?:数据|内容|信息).*$",
    r"以下空白$",
    r"[-–—=*_ ]*以下(?:无|为空|没有)(?:数据|正文|内容|记录)?[-–—=*_ ]*$",
    r"(?:说明|备注|注|附注|数据来源|来源) ?[:：].*$",
    r"(?:暂无|无更多|没有更多|没有|无)(?:数据|记录|内容)$",
    r"(?:总共|共计|合计|总计|全部|合計|總計|全|計) ?[:：]? ?[0-9][0-9,]* ?(?:条|行|项|笔|个|名|人|件|户|筆)(?:.*)$",
    r"총 ?[0-9][0-9,]* ?(?:건|명|개|행)(?:.*)$",
    r"(?:count|anzahl|nombre|número|cantidad|件数|数量|건수|trl|trailer|footer) ?[:=：,;|] ?[0-9][0-9.,]*$",
    r"[0-9]+ (?:of|von|de|di|sur|van|z) [0-9]+$",
    r"(?:as of|stand:?|date:|datum:|data as of|valid as of) ?[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}(?:[ t].*)?$",
    r"filtered by(?:[ :].*)?$",
    rf"(?:{_REMARKS}) ?: .*$",
    rf"(?:there (?:is|are) )?no (?:more )?(?:data|{_ENTRIES})(?: (?:found|available|to display))?\.?$",
    r"keine (?:weiteren )?(?:daten|einträge|datensätze|ergebnisse)(?: (?:gefunden|vorhanden))?\.?$",
    r"powered by .*$",
    r"anzahl (?:der )?(?:datensätze|zeilen|einträge) ?[:=]? ?[0-9].*$",
    r"[0-9][0-9.]* (?:datensätze|zeilen|einträge)$",
    r"(?:erstellt|gedruckt|exportiert|generiert) (?:von|am|durch|mit)(?:[ :].*)?$",
    r"(?:streng )?vertraulich\b.*$",
    r"(?:généré|exporté|imprimé|édité|créé) (?:par|le)(?:[ :].*)?$",
    r"(?:generado|exportado|impreso|creado) (?:por|el)(?:[ :].*)?$",
    r"nombre (?:de )?(?:lignes|enregistrements) ?[:=]? ?[0-9].*$",
    rf"[*=#<\[( _-]*end of (?:the )?(?:{_DOCUMENTS})(?:[*=#>\]) _.-].*)?$",
    r"[*=#<\[( _-]*(?:eof|bof|ende der (?:datei|liste)|fin (?:du fichier|de archivo))(?:[*=#>\]) _.-].*)?$",
    r"[*=#<\[( _-]*(?:文件|报表|数据)结束(?:[*=#>\]) _.-].*)?$",
    r"[*=#<-]{2,} ?(?:end|fin|ende|结束) ?[*=#>-]{2,}$",
    r"(?:#+|//+|--+|%%+) .*$",
    rf"(?:{_TIMES})(?:日期|时间)?(?:截止|截至|更新)?(?:日期|时间)?(?:到|至|于)? ?[:：]? ?[0-9]{{4}}[-年/.].*$",
    r"(?:本|此|该)(?:报表|表格|表|数据|列表|文件|清单|名单)(?:由|为|共|仅|包含|不含|中|内|系).*$",
    r"[(（]?(?:续表|续上表|续|接上页|转下页|接下页)[)）]?$",
    r"[0-9][0-9,]* ?(?:件|条|行|건)(?:中.*|を.*|记录|数据)?$",
    r"(?:请勿|勿|不要)(?:删除|修改|改动|编辑|填写).*$",
    r"(?:please )?(?:do not|don't) (?:edit|delete|modify|remove|change) .*$",
    rf"(?:{_COUNT_WORDS}) ?[:：=] ?[0-9].*$",
    r"(?:query|search|report) returned [0-9].*$",
    r"\(?[0-9][0-9.,]* (?:record|row|result|item|line|entry)\(s\).*$",
    r"(?:filter|sort|group)s? by(?:[ :].*)?$",
    r"applied filters?(?: ?:.*)?$",
    r"[∑σς] ?[:=]? ?[0-9].*$",
    rf"(?:{_BY_WHOM})人? ?[:：].*$",
)

# Words of the rows that a form has between its header and what people fill in.
FORM_WORDS: Final = (
    "必填|必填项|选填|选填项|非必填|可选|可为空|不填|自动生成|文本|文字|字符|字符串|数字|数值|整数|小数|金额|日期|时间|日期时间|下拉|下拉选择|单选|多选|是/否"
    "|required|mandatory|optional|string|text|number|numeric|integer|int|float|double|decimal|date|datetime|timestamp"
    "|boolean|bool|varchar(?:\\([0-9]+\\))?|picklist|dropdown|yes/no|pflichtfeld|optionales feld"
)
EXAMPLES: Final = (
    "(?:填写)?(?:示例|样例|范例)(?:数据|行)?",
    "(?:填写)?(?:示例|样例|范例|例如|例)[:：].*",
    ".*[（(](?:示例|样例|范例)[)）]",
    "(?:example|sample) (?:row|record|data|entry)",
    "(?:example|e\\.g\\.)[:：] .*",
)
NOTHING: Final = (
    r"null|none|nil|nan|nat|n/?a|#n/a|\\n|\(null\)|<null>|\[null\]|<na>|undefined|-{1,2}|—|/"
    "|无|暂无|空|未填写|不详"
)

_CURRENCY: Final = (
    "eur|usd|gbp|chf|cny|rmb|jpy|krw|hkd|twd|inr|cad|aud|nzd|sek|nok|dkk|pln|czk|huf|rub|brl|mxn"
)
_DIGITS: Final = r"[0-9][0-9.,'  ]*(?:e[-+]?[0-9]+)?"
_MEASURES: Final = "条|行|项|笔|个|名|人|件|户|位|单|家|筆"  # what Chinese counts by: 120人
_NUMBER: Final = rf"[-+(]?[¥￥$€£]? ?[-+]?{_DIGITS}[%)]?(?: ?(?:元|%|€|£|{_CURRENCY}|{_MEASURES}))?$"
_RULE: Final = r"(?:(?:[-=_*~─—–·.…+|#] ?){3,}|…{2,}|[\x00-\x08\x0e-\x1f\x7f]+)$"
_DATE: Final = r"(?:19|20)[0-9]{2}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}"

_TOTAL_END: Final = r"[*#= -]*[:：]? ?(?:\(?[0-9][0-9.,]*\)?)?[*#= -]*$"
TOTAL_PATTERN: Final = r"^[*#=— -]*(?:" + "|".join(TOTALS) + ")" + _TOTAL_END
PART_TOTAL_PATTERN: Final = "^(?:" + "|".join(PART_TOTALS) + ")[:：]?$"
FOOTER_PATTERN: Final = "^(?:" + "|".join(f"(?:{footer})" for footer in FOOTERS) + ")"
NUMBER_PATTERN: Final = f"^(?:{_NUMBER}|(?:{_CURRENCY})$)"
RULE_PATTERN: Final = "^" + _RULE
LABEL_PATTERN: Final = rf"^(?:(?:{_BY_WHOM})人?|(?:{_TIMES})(?:日期|时间)|日期) ?(?:[:：].*)?$"
COLON: Final = "[:：]"
FORM_PATTERN: Final = rf"^[(（\[*]*(?:{FORM_WORDS})[)）\]*]*$"
EXAMPLE_PATTERN: Final = f"^(?:{'|'.join(EXAMPLES)})$"
NOTHING_PATTERN: Final = f"^(?:{NOTHING})$"
DATE_PATTERN: Final = _DATE

IDENTIFYING_PATTERN: Final = "(?:[0-9][ ()/-]*){7}"

OTHERWISE_CUT_PATTERN: Final = r"(?:[;|\t][^;|\t]*){2}"

_OTHERWISE_CUT = re.compile(OTHERWISE_CUT_PATTERN)
_IDENTIFYING_CELL = re.compile(IDENTIFYING_PATTERN)
_TOTAL = re.compile(TOTAL_PATTERN)
_FOOTER = re.compile(FOOTER_PATTERN)
_NUMBER_CELL = re.compile(NUMBER_PATTERN)
_RULE_CELL = re.compile(RULE_PATTERN)
_PART_TOTAL = re.compile(PART_TOTAL_PATTERN)
_LABEL = re.compile(LABEL_PATTERN)
_COLON = re.compile(COLON)
_FORM_CELL = re.compile(FORM_PATTERN)
_EXAMPLE = re.compile(EXAMPLE_PATTERN)
_NOTHING_CELL = re.compile(NOTHING_PATTERN)
_DATES = re.compile(DATE_PATTERN)


@dataclass(frozen=True)
class KnownBy:
    """The positions of the cells that say who a record is: those that must be there, the personal ones, and the key.

    `names`: by position, all names that the mapping has for the column there, in lower case; `all_names`: those that
    it has for any column.
    """

    required: tuple[int, ...] = ()
    personal: tuple[int, ...] = ()
    key: tuple[int, ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    all_names: tuple[str, ...] = ()

    def names_at(self, position: int) -> tuple[str, ...]:
        """Return the names of the column at a position; none where the mapping has no column there."""
        return self.names[position] if position < len(self.names) else ()


def is_none(cells: Sequence[str], header: Sequence[str], known_by: KnownBy, *, is_short: bool) -> bool:
    """Return whether a row is no record by the rule above.

    `is_short`: the row has fewer fields than the header, which is in the same order.
    """
    filled = _filled(cells)
    if not filled or _is_header(filled, header, known_by):
        return True
    label_at, label = next(iter(filled.items()))
    others = dict(list(filled.items())[1:])
    if _TOTAL.match(label):
        return _is_total(others, known_by)
    if others and _PART_TOTAL.match(label) and _is_total(others, known_by):
        return True
    if _FOOTER.match(label) and (is_short or not others):
        return True
    is_sentence = (
        not others and label_at in known_by.key and " " in label and not _OTHERWISE_CUT.search(label)
    )
    return is_sentence or _are_rules(filled.values()) or _is_of_form(label, others, known_by)


def _is_of_form(label: str, others: Mapping[int, str], known_by: KnownBy) -> bool:
    """Return whether a row stands for nothing, or says how to fill in a form, who made it and when."""
    if _EXAMPLE.match(label):
        return True
    if not others:
        return False
    cells = [label, *others.values()]
    if any(all(map(pattern.match, cells)) for pattern in (_FORM_CELL, _NOTHING_CELL)):
        return True
    labels = sum(1 for cell in cells if _LABEL.match(cell))
    is_label = bool(_LABEL.match(label)) and (labels > 1 or _COLON.search(label) is not None)
    return is_label and not _is_known(others, known_by)


def _are_rules(cells: Iterable[str]) -> bool:
    return all(map(_RULE_CELL.match, cells))


def _filled(cells: Sequence[str]) -> dict[int, str]:
    """Return the cells that hold something, by their position."""
    return {position: cell for position, cell in enumerate(map(_plain, cells)) if cell}


def _is_header(filled: Mapping[int, str], header: Sequence[str], known_by: KnownBy) -> bool:
    """Return whether every filled cell holds the name of its own column."""
    names = dict(enumerate(map(_plain, header)))
    if all(names.get(position) == cell for position, cell in filled.items()):
        return True
    return len(filled) > 1 and all(
        cell == names.get(position) or cell in known_by.names_at(position)
        for position, cell in filled.items()
    )


def _is_total(others: Mapping[int, str], known_by: KnownBy) -> bool:
    """Return whether what stands beside a word for totals is no more than numbers, and says of nobody who it is."""
    return not _is_known(others, known_by) and all(map(_NUMBER_CELL.match, others.values()))


def _is_known(others: Mapping[int, str], known_by: KnownBy) -> bool:
    """Return whether cells say of somebody who it is."""
    is_there = any(position in others for position in known_by.required)
    telling = [_DATES.sub("", others.get(position, "")) for position in known_by.personal]
    return is_there or any(map(_IDENTIFYING_CELL.search, telling))


def _plain(cell: str) -> str:
    return cell.strip().lower()
