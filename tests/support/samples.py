"""Writes the samples of Chinese systems and of advertising under tests/samples: `python -m tests.support.samples`.

Their people are generated: names are 样 and a number, phones begin with 1999900, mail goes to example.com.
"""
# ruff: noqa: E501 - a row of a table is a line

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.books import book, cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FOLDER = Path(__file__).parents[1] / "samples"
Cells = tuple[Any, ...]


def name(n: int) -> str:
    return (
        "赵钱孙李周吴郑王冯陈"[n % 10]
        + "样"
        + "一二三四五六七八九十"[n // 10 % 10]
        + "甲乙丙丁戊己庚辛壬癸"[n % 10]
    )


def phone(n: int) -> str:
    return f"1999900{n:04}"


def mail(n: int) -> str:
    return f"sample{n}@example.com"


def moment(day: float) -> str:
    """Return a cell that holds a date and time as Excel does: 46000 is 2025-12-09."""
    return cell(day, 2)


def sheet(*rows: Iterable[Any]) -> str:
    return "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)


def table(header: str, *rows: Cells, end: str = "\r\n", delimiter: str = ",") -> bytes:
    """Return a CSV; `header` has its names between commas."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=end, delimiter=delimiter)
    writer.writerows([header.split(","), *rows])
    return out.getvalue().encode()


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def wukong_customers() -> bytes:
    """A title over all columns, a header with spaces and full-width signs, people among the companies."""
    header = [
        "客户 名称",
        "客户级别",
        "客户行业",
        "客户来源",
        "手\u3000机",
        "电话",
        "网址",
        "邮箱",
        "下次联系时间",
        "成交状态",
        "客户类型",
        "备注",
        "负责人",
        "创建人",
        "创建时间",
        "更新时间",
        "锁定状态",
        "距进入公海天数",
    ]
    rows: list[Cells] = []
    for n in range(1, 11):
        person = n in (4, 8)
        called = name(n) if person else f"样例第{n}有限公司"
        rows.append(
            (called, "A（重点客户）", "IT", "转介绍", f"{phone(n)[:3]}-{phone(n)[3:7]}-{phone(n)[7:]}", "010-55500100",
             None if person else f"https://www.example.com/{n}", mail(n), "2026-12-01 10:00:00",
             "已成交" if n % 2 else "未成交", "个人" if person else "企业", None, "样员工一", "样员工二",
             f"2026-01-{n:02} 09:30:00", f"2026-06-{n:02} 18:00:00", "未锁定", 30 - n)
        )  # fmt: skip
    rows.append(
        ("样例第11有限公司", "C（非优先客户）", "政府", "广告", "1.38E+10", *[None] * 11, "未锁定", 3)
    )
    rows.append((None, "B（普通客户）", *[None] * 15, 3))
    changed = list(rows[0])
    changed[9], changed[15] = "未成交", "2026-07-01 08:00:00"
    rows.append(tuple(changed))
    title = ["客户信息（生成的样例数据）"]
    return book(sheet(title, header, *rows), merged=["A1:R1"])


def wukong_contacts() -> bytes:
    """The customer's name is merged over its contacts; stars mark what a form requires; times are Excel's."""
    header = ["*姓名", "*客户名称", "手机", "电话", "邮箱", "职务", "是否关键决策人", "性别", "地址", "下次联系时间", "备注", "负责人", "创建时间", "更新时间"]  # fmt: skip
    rows = []
    for n in range(1, 10):
        customer = f"样例第{(n + 2) // 3}有限公司" if n % 3 == 1 else None
        rows.append(
            (name(20 + n), customer, f"+86 {phone(20 + n)}" if n % 2 else int(phone(20 + n)), None, mail(20 + n),
             "经理", "是" if n % 2 else "否", "女" if n % 2 else "男", "样例路1号", "2026年12月1日", None, "样员工一",
             moment(46000.5), moment(46100 + n))
        )  # fmt: skip
    return book(sheet(header, *rows), merged=["B2:B4", "B5:B7", "B8:B10"])


def wukong_deals() -> bytes:
    header = [
        "商机名称",
        "客户名称",
        "商机金额",
        "预计成交日期",
        "备注",
        "商机状态组",
        "商机阶段",
        "负责人",
        "创建人",
        "创建时间",
        "更新时间",
        "最后跟进时间",
    ]
    stages = ("初步沟通", "需求确认", "方案报价", "赢单", "输单", "无效")
    rows: list[Cells] = [
        (f"样例项目{n}", f"样例第{n}有限公司", f"{n * 12_300:,}.50", "2026-12-31 00:00:00", None, "默认流程", stages[n % 6],
         "样员工一", "样员工一", f"2026-03-{n:02} 09:00:00", f"2026-05-{n:02} 09:00:00", None)
        for n in range(1, 10)
    ]  # fmt: skip
    rows.append(
        (
            "样例项目甲",
            name(4),
            "¥8,000元",
            "2026/11/5",
            None,
            "默认流程",
            "赢单",
            "样员工二",
            "样员工二",
            "2026-03-20",
            "2026-05-20",
            None,
        )
    )
    rows.append(("样例项目乙", "样例第2有限公司", "约两万", "2026/11/5", *[None] * 8))
    return book(sheet(header, *rows))


def wukong_contracts() -> bytes:
    header = [
        "合同编号",
        "合同名称",
        "客户名称",
        "商机名称",
        "合同金额（元）",
        "下单时间",
        "合同开始时间",
        "合同结束时间",
        "客户签约人",
        "公司签约人",
        "备注",
        "合同类型",
        "审核状态",
        "负责人",
        "创建人",
        "创建时间",
        "更新时间",
    ]
    rows: list[Cells] = [
        (f"HT-2026-{n:04}", f"样例合同{n}", f"样例第{n}有限公司", f"样例项目{n}", n * 10_000.5, moment(46100 + n),
         "2026-04-01", "2027-03-31", None, "样员工一", None, "直销合同", "通过", "样员工一", "样员工一",
         f"2026-04-{n:02} 09:00:00", f"2026-04-{n:02} 10:00:00")
        for n in range(1, 9)
    ]  # fmt: skip
    rows[0] = (*rows[0][:8], name(21), *rows[0][9:])
    rows.append(
        (
            "HT-2026-0009",
            "样例合同九",
            name(8),
            None,
            "5,000.00",
            "2026年4月9日",
            *[None] * 6,
            "待审核",
            *[None] * 4,
        )
    )
    rows.append(("HT-2026-0010", "样例合同十", "样例第3有限公司", None, None, "2026-04-10", *[None] * 11))
    return book(sheet(header, *rows))


def wukong_payments() -> bytes:
    header = [
        "回款编号",
        "客户名称",
        "合同编号",
        "期数",
        "回款日期",
        "回款金额",
        "回款方式",
        "备注",
        "审核状态",
        "负责人",
        "创建人",
        "创建时间",
        "更新时间",
    ]
    rows: list[Cells] = [
        (f"HK-2026-{n:04}", f"样例第{n}有限公司", f"HT-2026-{n:04}", 1, f"2026-05-{n:02}", n * 5_000, "网上转账", None, "通过",
         "样员工一", "样员工一", f"2026-05-{n:02} 09:00:00", f"2026-05-{n:02} 10:00:00")
        for n in range(1, 9)
    ]  # fmt: skip
    rows.append(
        (
            "HK-2026-0009",
            name(8),
            "HT-2026-0009",
            1,
            "2026-05-09",
            -200,
            "微信支付",
            "退款",
            "通过",
            *[None] * 4,
        )
    )
    rows.append(("HK-2026-0010", "样例第1有限公司", "HT-2026-0001", 2, "九月", 100, *[None] * 7))
    return book(sheet(header, *rows))


def wukong_activities() -> bytes:
    """As the template for notes: what to mind, merged over all columns, and stars."""
    header = [
        "*跟进内容",
        "*创建人",
        "*所属客户",
        "跟进时间-例:2020-2-1",
        "跟进方式",
        "相关联系人",
        "相关商机",
    ]
    ways = ("打电话", "见面拜访", "微信", "发邮件", "其他")
    rows: list[Cells] = [
        (
            f"样例跟进内容{n}",
            "样员工一",
            f"样例第{(n + 2) // 3}有限公司",
            f"2026-6-{n}",
            ways[n % 5],
            name(20 + n),
            None,
        )
        for n in range(1, 10)
    ]
    rows.append(("样例跟进内容甲", "样员工二", name(4), "2026-6-20", "打电话", None, "样例项目甲"))
    rows.append((None, "样员工二", "样例第1有限公司", "2026-6-21", "打电话", None, None))
    title = ["注意事项：\n1、表头标“*”的红色字体为必填项\n2、跟进时间：推荐格式为2020-2-1"]
    return book(sheet(title, header, *rows), merged=["A1:G1"])


def list_contacts() -> bytes:
    """Two titles, a blank row, a header whose columns are spread by spaces; phones in every way to write them."""
    header = ["序号", "姓　名", "手　机", "电 子 邮 箱", "公司名称", "城市", "微信号", "生日", "备注"]
    phones = (
        "199-9900-0041", "+86 19999000042", int(phone(43)), "'19999000044", "\t19999000045", "１９９９９０００４６",
        "19999000047.0", "008619999000048", "199 9900 0049",
    )  # fmt: skip
    rows: list[Cells] = [
        (n, name(40 + n), typed, mail(40 + n).upper() if n % 2 else None, f"样例第{n}有限公司", "上海市", f"sample_wx_{n}",
         moment(33000 + n) if n % 2 else "一九九〇年五月六日", None)
        for n, typed in enumerate(phones, 1)
    ]  # fmt: skip
    rows.append((10, name(50), "1.99999E+10", mail(50), None, "北京市", None, None, "表格已损坏手机号"))
    rows.append((11, *[None] * 7, "只有备注"))
    rows.append((12, name(52), None, None, "样例第12有限公司", "广州市", None, None, None))
    titles = [["客户名单（生成的样例数据）"], [None, "登记：样员工一", None, "2026年11月"], []]
    return book(sheet(*titles, header, *rows), merged=["A1:I1"])


def jiandaoyun_leads() -> bytes:
    """Main fields are merged over the lines of a subform, and so are their names over its two lines of header."""
    top = [
        "数据ID",
        "姓名",
        "手机",
        "公司",
        "城市",
        "来源",
        "意向产品",
        None,
        "需求描述",
        "跟进状态",
        "负责人",
        "提交人",
        "提交时间",
        "更新时间",
    ]
    below = [*[None] * 6, "产品名称", "数量", *[None] * 6]
    rows: list[Cells] = []
    merged = ["G1:H1", *(f"{letter}1:{letter}2" for letter in "ABCDEFIJKLMN")]
    for n in range(1, 9):
        main = (
            f"66f0c0ffee0000000000{n:04}",
            name(60 + n),
            phone(60 + n),
            f"样例第{n}有限公司",
            "杭州市",
            "官网表单",
        )
        rest = (
            f"想了解样例产品{n}",
            "未跟进",
            "样员工一",
            "样员工二",
            f"2026-10-{n:02} 10:00:00",
            f"2026-10-{n:02} 12:00:00",
        )
        rows += [(*main, "样例产品A", n, *rest), (*[None] * 6, "样例产品B", 1, *[None] * 6)]
        merged += [f"{letter}{n * 2 + 1}:{letter}{n * 2 + 2}" for letter in "ABCDEFIJKLMN"]
    return book(sheet(top, below, *rows), merged=merged)


def jiandaoyun_webhooks() -> bytes:
    def push(op: str, n: int, at: int, **data: Any) -> dict[str, Any]:
        known = {
            "_id": f"66f0c0ffee0000000000{n:04}", "appId": "66f0c0ffee00000000000000", "entryId": "66f0c0ffee00000000000001",
            "createTime": "2026-11-01T02:00:00.000Z", "updateTime": "2026-11-01T02:00:00.000Z",
            "creator": {"name": "样员工二", "username": "sample_u2"},
        }  # fmt: skip
        return {"op": op, "opTime": at, "data": known | data}

    start = 1_793_498_400_000  # 2026-11-01T02:00:00Z
    made = [
        push("data_create", n, start + n, name=name(60 + n), mobile={"verified": True, "phone": phone(60 + n)},
             company=f"样例第{n}有限公司", city={"province": "浙江省", "city": "杭州市"}, status="未跟进")
        for n in range(9, 15)
    ]  # fmt: skip
    return lines(
        *made,
        push(
            "data_update",
            9,
            start + 60_000,
            name=name(69),
            mobile=phone(69),
            company="样例第9有限公司",
            city={"city": "杭州市"},
            status="已联系",
        ),
        push("data_remove", 10, start + 61_000, deleteTime="2026-11-01T02:01:01.000Z"),
        push("data_remove", 11, start + 62_000),
        push(
            "data_recover",
            11,
            start + 63_000,
            name=name(71),
            mobile=phone(71),
            city={"city": "杭州市"},
            status="未跟进",
        ),
        {"op": "data_test", "opTime": start, "data": {}},
        {"op": "data_update", "opTime": start, "data": {"name": "样无编号"}},
        {"op": "form_update", "opTime": start, "data": {"entryId": "66f0c0ffee00000000000001"}},
    )


def huoban_customers() -> bytes:
    header = [
        "数据ID",
        "客户姓名",
        "手机号",
        "邮箱",
        "公司",
        "所在城市",
        "微信号",
        "客户来源",
        "客户状态",
        "负责人",
        "创建人",
        "创建时间",
        "修改时间",
    ]
    rows: list[Cells] = [
        (2_300_000_000_000 + n, name(80 + n), int(phone(80 + n)), mail(80 + n), f"样例第{n}有限公司", "成都市", f"sample_wx_{n}",
         "小红书", "跟进中", "样员工一", "样员工一", moment(46300.25), moment(46310.5 + n))
        for n in range(1, 9)
    ]  # fmt: skip
    rows.append((2_300_000_000_009, None, int(phone(89)), *[None] * 8, moment(46300.25), None))
    return book(sheet(header, *rows))


def huoban_webhooks() -> bytes:
    def item(event: str, n: int, status: str, at: str) -> dict[str, Any]:
        fields = [
            {"field_id": 4001, "values": [{"value": name(80 + n)}]}, {"field_id": 4002, "values": [{"value": phone(80 + n)}]},
            {"field_id": 4003, "values": [{"value": mail(80 + n)}]}, {"field_id": 4004, "values": [{"value": f"样例第{n}有限公司"}]},
            {"field_id": 4005, "values": [{"id": 1, "name": status}]},
        ]  # fmt: skip
        return {
            "event": event, "item_id": str(2_300_000_000_000 + n), "table_id": "2100000000000001",
            "created_on": "2026-11-01 10:00:00", "updated_on": at, "fields": fields,
        }  # fmt: skip

    return lines(
        *(item("item.create", n, "跟进中", "2026-11-01 10:00:00") for n in range(10, 16)),
        item("item.update", 10, "已成交", "2026-11-02 09:00:00"),
        {"event": "item.delete", "item_id": "2300000000011", "updated_on": "2026-11-03 09:00:00"},
        {"event": "comment.create", "item_id": "2300000000011"},
        {"event": "item.create", "updated_on": "2026-11-03 09:00:00"},
    )


def douyin_leads() -> bytes:
    """In GB 18030, as Excel saves it in China; ids are kept from Excel by a tab."""
    header = "线索ＩＤ,姓名,电话,线索创建时间,广告主ID,广告主名称,项目ID,项目名称,单元ID,单元名称,站点名称,落地页链接,组件类型,流量来源,省份,城市,备注,线索状态,所属人"
    rows: list[Cells] = [
        (f"\t75000000000000001{n:02}", name(100 + n), phone(100 + n), f"2026/11/{n} 9:05", "\t1700000000000001", "样例广告主",
         "\t7400000000000001001", "样例项目", "\t7400000000000002001", "样例单元", "样例落地页", "https://www.example.com/page",
         "表单提交", "抖音", "广东", "深圳", f"预算{n}万", "新线索", None)
        for n in range(1, 11)
    ]  # fmt: skip
    rows.append(("7.5E+18", name(111), phone(111), "2026/11/11 9:05", *[None] * 15))
    rows.append(("\t7500000000000000112", name(112), "1.99999E+10", "2026/11/12 9:05", *[None] * 15))
    rows.append(("\t7500000000000000113", name(113), phone(113), None, *[None] * 15))
    return table(header, *rows).decode().encode("gb18030")


def wechat_leads() -> bytes:
    header = "线索ID,线索提交时间,姓名,电话,账户ID,推广计划ID,推广计划名称,广告ID,广告名称,落地页ID,落地页名称,城市,线索状态,微信AppID,微信OpenID,微信UnionID"
    rows: list[Cells] = [
        (9_000_000_000 + n, f"2026-11-{n:02} 20:15:00", name(120 + n), phone(120 + n), 20000001, 300001, "样例计划", 400001,
         "样例广告", 500001, "样例落地页", "武汉市", "新线索", "wxsample0000000a", f"osample-a-{n}", f"usample-{n}")
        for n in range(1, 9)
    ]  # fmt: skip
    rows.append((9_000_000_009, "昨天", name(129), phone(129), *[None] * 12))
    return b"\xef\xbb\xbf" + table(header, *rows)


def wechat_users() -> bytes:
    """Two apps: the same open id in both is nobody's, the same union id in both is one person's."""
    start = 1_780_000_000

    def user(app: str, open_id: str, n: int, **more: Any) -> dict[str, Any]:
        return {"appid": app, "subscribe": 1, "openid": open_id, "language": "", "subscribe_time": start + n * 3600,
                "remark": "", "groupid": 0, "tagid_list": [n], "subscribe_scene": "ADD_SCENE_QR_CODE",
                "seen_at": "2026-11-20T00:00:00Z", **more}  # fmt: skip

    a, b = "wxsample0000000a", "wxsample0000000b"
    return lines(
        *(user(a, f"osample-a-{n}", n, unionid=f"usample-{n}") for n in range(1, 6)),
        *(user(b, f"osample-b-{n}", n, unionid=f"usample-{n}", phone=phone(120 + n)) for n in range(1, 3)),
        user(a, "osample-same", 6),
        user(b, "osample-same", 7),
        user(a, "osample-a-5", 5, unionid="usample-5", subscribe=0, seen_at="2026-11-21T00:00:00Z"),
        {"subscribe": 1, "openid": "osample-none"},
    )


def meta_leads() -> bytes:
    header = "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,form_name,is_organic,platform,what_are_you_looking_for?,full_name,phone_number,email,city,lead_status"
    rows: list[Cells] = [
        (f"l:7000000000000{n:03}", f"2026-10-{n:02}T08:15:30-05:00", "ag:6000000000001", "Sample ad", "as:6000000000002",
         "Sample set", "c:6000000000003", "Sample campaign", "f:5000000000001", "Sample form", "false", "fb" if n % 2 else "ig",
         "a_new_kitchen", f"Sample Person{n}", f"p:+120255501{n:02}", f"person{n}@example.org", "Springfield", "CREATED")
        for n in range(1, 9)
    ]  # fmt: skip
    rows.append(
        ("l:7000000000000009", "2026-10-09T08:15:30-05:00", *[None] * 8, "true", "fb", "<test lead: dummy data for what>",
         "<test lead: dummy data for full_name>", "p:<test lead: dummy data for phone_number>", "test@fb.com", None, "CREATED")
    )  # fmt: skip
    rows.append(("l:7000000000000010", "2026-10-10T08:15:30-05:00", *[None] * 16))
    rows.append(
        (
            "7E+15",
            "2026-10-11T08:15:30-05:00",
            *[None] * 11,
            "Sample Person11",
            "p:+12025550111",
            None,
            None,
            None,
        )
    )
    text = table(header, *rows, end="\n", delimiter="\t").decode()
    return text.encode("utf-16")  # as Meta's "CSV" is: UTF-16 with tabs


def google_leads() -> bytes:
    def lead(n: int, **more: Any) -> dict[str, Any]:
        answers = {
            "FULL_NAME": f"Sample Visitor{n}",
            "EMAIL": f"visitor{n}@example.net",
            "PHONE_NUMBER": f"+120255502{n:02}",
        }
        columns = [
            {"column_name": column.title(), "string_value": value, "column_id": column}
            for column, value in answers.items()
        ]
        return {
            "lead_id": f"TeSter-{n}-sample", "user_column_data": columns, "api_version": "1.0", "form_id": 40000000001,
            "campaign_id": 12345678901, "google_key": "generated-sample-key", "is_test": False, "gcl_id": f"sampleclick{n}",
            "adgroup_id": 20000000001, "creative_id": 30000000001, "lead_submit_time": f"2026-11-{n:02}T12:30:00Z", **more,
        }  # fmt: skip

    work = [
        {"column_name": "First", "string_value": "Sample", "column_id": "FIRST_NAME"},
        {"column_name": "Last", "string_value": "Worker", "column_id": "LAST_NAME"},
        {"column_name": "Mail", "string_value": "Worker@Example.net", "column_id": "WORK_EMAIL"},
    ]
    return lines(
        *(lead(n) for n in range(1, 7)),
        lead(7, user_column_data=work),
        lead(8, is_test=True),
        lead(1),
        {"user_column_data": [], "is_test": False},
    )


def ads_spend() -> bytes:
    header = "日期,平台,计划名称,计划ID,展示次数,点击次数,转化数,线索数,花费（元）"
    rows: list[Cells] = [
        (f"2026/11/{day}", platform, f"{platform}样例计划", None if platform == "小红书" else 8_000_000 + day,
         f"{day * 12_345:,}", day * 100, day * 3, day * 2, f"¥{day * 1_000:,}.50")
        for day in range(1, 6)
        for platform in ("小红书", "快手")
    ]  # fmt: skip
    rows.append(("合计", None, None, None, "370,350", 3_000, 90, 60, "¥30,005.00"))
    return table(header, *rows)


def douyin_spend() -> bytes:
    header = ["日期", "项目ID", "项目名称", "展示数", "点击数", "转化数", "消耗(元)"]
    rows: list[Cells] = [
        (
            f"2026-11-{day:02}",
            "7400000000000001001",
            "样例项目",
            day * 20_000,
            day * 300,
            day * 5,
            day * 888.8,
        )
        for day in range(1, 9)
    ]
    rows.append(("总计", "-", "-", 720_000, 10_800, 180, 31_996.8))
    title = ["项目报表（生成的样例数据）", "2026-11-01至2026-11-08"]
    return book(sheet(title, header, *rows))


def google_spend() -> bytes:
    header = "Day,Campaign,Campaign ID,Currency code,Clicks,Impr.,Cost,Conversions"
    rows: list[Cells] = [
        (
            f"2026-11-{day:02}",
            "Sample campaign",
            12345678901,
            "USD",
            f"{day * 1_100:,}",
            f"{day * 30_000:,}",
            f"{day * 99.5:.2f}",
            f"{day}.00",
        )
        for day in range(1, 9)
    ]
    rows.append(("Total: Account", "--", "--", "USD", "39,600", "1,080,000", "3,582.00", "36.00"))
    return b'Campaign report\r\n"November 1, 2026 - November 8, 2026"\r\n' + table(header, *rows)


def meta_spend() -> bytes:
    header = "Campaign name,Campaign ID,Reporting starts,Reporting ends,Impressions,Link clicks,Results,Amount spent (USD)"
    rows: list[Cells] = [
        (
            "Sample campaign",
            6000000000003,
            f"2026-10-{day:02}",
            f"2026-10-{day:02}",
            day * 5_000,
            day * 60,
            day,
            f"{day * 20.25:.2f}",
        )
        for day in range(1, 9)
    ]
    rows.append(("Sample campaign", 6000000000003, "2026-10-01", "2026-10-31", 180_000, 2_160, 36, "729.00"))
    return table(header, *rows)


SAMPLES = {
    "wukong/customers.xlsx": wukong_customers, "wukong/contacts.xlsx": wukong_contacts, "wukong/deals.xlsx": wukong_deals,
    "wukong/contracts.xlsx": wukong_contracts, "wukong/payments.xlsx": wukong_payments,
    "wukong/activities.xlsx": wukong_activities, "list/contacts.xlsx": list_contacts,
    "jiandaoyun/leads.xlsx": jiandaoyun_leads, "jiandaoyun/webhooks.jsonl": jiandaoyun_webhooks,
    "huoban/customers.xlsx": huoban_customers, "huoban/webhooks.jsonl": huoban_webhooks,
    "douyin/leads.csv": douyin_leads, "wechat/leads.csv": wechat_leads, "wechat/users.jsonl": wechat_users,
    "meta/leads.csv": meta_leads, "google/leads.jsonl": google_leads, "ads/spend.csv": ads_spend,
    "douyin/spend.xlsx": douyin_spend, "google/spend.csv": google_spend, "meta/spend.csv": meta_spend,
}  # fmt: skip


def main(folder: Path = FOLDER, wanted: Sequence[str] = tuple(SAMPLES)) -> None:
    """Write the samples."""
    for place in wanted:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SAMPLES[place]())


if __name__ == "__main__":
    main()
