"""What advertising brings and costs, and whom WeChat knows."""
# ruff: noqa: E501 - a row of a table is a line

from __future__ import annotations

from typing import Any

from tests.support.sample_cells import Cells, lines, name, phone, sheet, table
from tests.support.workbooks import book


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


def wecom_customers() -> bytes:
    """Answers of externalcontact/get. Of two ids that differ in case alone each is somebody; unions tie to WeChat's users."""

    def customer(external_userid: str, n: int, *phones: str, **more: Any) -> dict[str, Any]:
        employees = [
            {"userid": f"sample-{number}", "remark": name(120 + n), "description": "", "createtime": 1_780_000_000 + n, "add_way": 1,
             "tags": [{"group_name": "客户分层", "tag_name": "老客户", "tag_id": "etsample", "type": 1}], "remark_mobiles": [typed] if typed else []}
            for number, typed in enumerate(phones or ("",), 1)
        ]  # fmt: skip
        contact = {"external_userid": external_userid, "name": f"昵称{n}", "type": 1, "gender": n % 3, **more}
        return {"errcode": 0, "errmsg": "ok", "external_contact": contact, "follow_user": employees,
                "seen_at": f"2026-11-{n:02}T01:00:00Z"}  # fmt: skip

    of_company = {"type": 2, "position": "采购", "corp_name": "样例", "corp_full_name": "样例有限公司"}
    return lines(
        customer("woSampleAbCdEf1", 1, phone(131), phone(132), unionid="usample-1"),
        customer("woSampleabcdef1", 2, phone(133)),
        customer("woSampleAbCdEf3", 3),
        customer("wmSampleAbCdEf4", 4, phone(134), **of_company),
        customer("woSampleAbCdEf3", 5, phone(135)),
        {"errcode": 0, "external_contact": {"name": "昵称6", "type": 1}, "follow_user": []},
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
            "PHONE_NUMBER": f"+1202555015{n}",
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
