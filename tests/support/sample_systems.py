"""Exports and pushes of Wukong CRM, Jiandaoyun and Huoban, and a list that somebody keeps."""
# ruff: noqa: E501 - a row of a table is a line

from __future__ import annotations

from typing import Any

from tests.support.sample_cells import Cells, lines, mail, moment, name, phone, sheet
from tests.support.workbooks import book


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
