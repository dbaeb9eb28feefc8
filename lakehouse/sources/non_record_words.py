"""The words by which lines of a table are known that are no records; the rule is in `non_records`.

Patterns of the kind that both Python and RE2 read, of texts in lower case.
"""

from __future__ import annotations

from typing import Final

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
    ".+[ :–—-](?:grand |sub[ -]?)?totals?", "(?:grand |sub[ -]?)?totals? (?:for|of|in|per|by) .+",
    "(?:zwischen|gesamt)?summe (?:von|für|der|des) .+", "sous-total .+", "subtotal .+",
    ".+[ ：:-]?(?:合计|小计|总计|合計|小計|總計)", "итого по .+", "всего по .+",
)  # fmt: skip

_MADE = "generated|created|exported|printed|prepared|produced|compiled|downloaded|extracted|run"
_PEOPLE = "制表人?|制单人?|填表人?|填报人|经办人|审核人?|审批人|复核人?|批准人|导出人|打印人|报表生成人"
TIMES = "制表|制单|填表|填报|导出|打印|统计|报表|生成|下载|查询|截止|数据"
_COUNTS = "总记录数|记录总数|总条数|总人数|总笔数|总行数|记录数|行数|条数|人数|合计人数|数据总量"
_ENTRIES = (
    "rows?|records?|entries|entry|results?|items?|lines?|contacts?|accounts?|leads?|orders?|transactions?"
)
_COUNTED = "affected|selected|returned|found|exported|in set|in total|total|processed|listed|shown"
_DOCUMENTS = "file|report|data|export|list|document|records"
BY_WHOM = "制表|制单|填表|填报|经办|审核|审批|复核|批准|核准|导出|打印|出纳|会计|主管|负责"
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
    rf"(?:{TIMES})(?:日期|时间|单位|来源|范围|条件) ?[:： ].*$",
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
    rf"(?:{TIMES})(?:日期|时间)?(?:截止|截至|更新)?(?:日期|时间)?(?:到|至|于)? ?[:：]? ?[0-9]{{4}}[-年/.].*$",
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
    rf"(?:{BY_WHOM})人? ?[:：].*$",
)

# Words of the rows that a form has between its header and what people fill in.
FORM_WORDS: Final = (
    "必填|必填项|选填|选填项|非必填|可选|可为空|不填|自动生成|文本|文字|字符|字符串|数字|数值|整数|小数|金额|日期|时间|日期时间|下拉|下拉选择|单选|多选|是/否"
    "|required|mandatory|optional|string|text|number|numeric|integer|int|float|double|decimal|date|datetime|timestamp"
    "|boolean|bool|varchar(?:\\([0-9]+\\))?|picklist|dropdown|yes/no|pflichtfeld|optionales feld"
)
LEAST_FORM_CELLS: Final = 3  # fewer may be a field's name and its type: date, date
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
