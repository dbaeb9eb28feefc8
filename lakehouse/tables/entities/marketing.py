"""How a company is found: campaigns, who was in them, and what advertising cost."""

from __future__ import annotations

from lakehouse.tables.contract import Contract, bilingual

CAMPAIGNS = Contract(
    name="core.campaigns",
    doc="Campaigns of the CRM and of advertising platforms: a slowly changing dimension with each version's time.",
    zh="市场活动：CRM 与广告平台的活动，每个版本带有有效时间",
    grain="one row a version of a campaign",
    key=("source", "campaign_id", "valid_from"),
    sort=("campaign_id", "valid_from"),
    columns=bilingual(
        ("campaign_id", "string", "Id in its source", "活动编号"),
        ("source", "string", "CRM or platform", "来源系统"),
        ("name", "string", "Name", "活动名称"),
        ("kind", "string", "email, ad, event, … as the source calls it", "活动类型"),
        ("channel", "string", "Where it runs", "渠道"),
        ("status", "string", "Status as the source calls it", "活动状态"),
        ("parent_id", "string", "Campaign it is part of", "上级活动编号"),
        ("starts_on", "date", "First day", "开始日期"),
        ("ends_on", "date", "Last day", "结束日期"),
        ("budget", "decimal(18,2)", "Planned cost in `currency`", "预算"),
        ("cost", "decimal(18,2)", "Actual cost in `currency`", "实际花费"),
        ("currency", "string", "ISO 4217", "币种（ISO 4217）"),
        ("created_at", "timestamptz", "Creation in the source", "创建时间"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
        ("valid_from", "timestamptz", "From when this version held", "版本生效时间"),
        ("valid_to", "timestamptz", "Until when; null while it holds", "版本失效时间；仍有效时为空"),
    ),
)

CAMPAIGN_MEMBERS = Contract(
    name="core.campaign_members",
    doc="Who was in a campaign or in its control group, and what they did.",
    zh="活动成员：活动组与对照组的客户及其响应",
    grain="one row a member of a campaign",
    key=("source", "member_id"),
    sort=("campaign_id",),
    columns=bilingual(
        ("member_id", "string", "Id in its source", "成员编号"),
        ("source", "string", "CRM or platform", "来源系统"),
        ("customer_id", "string", "Customer; null while unresolved", "对应的客户；未识别时为空"),
        ("campaign_id", "string", "Campaign", "活动编号"),
        ("contact_id", "string", "Contact", "联系人编号"),
        ("lead_id", "string", "Lead", "线索编号"),
        ("is_control", "boolean", "Was left alone, to compare with", "是否对照组"),
        ("status", "string", "sent, opened, clicked, … as the source calls it", "响应状态"),
        ("responded", "boolean", "Answered as the campaign wished", "是否响应"),
        ("joined_at", "timestamptz", "When, UTC", "加入时间（UTC）"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

AD_SPEND = Contract(
    name="core.ad_spend",
    doc="What advertising cost and brought, by day.",
    zh="广告投放：按天统计的花费与效果",
    grain="one row a day, campaign and advertisement",
    key=("source", "day", "campaign_id", "ad_id"),
    sort=("day", "campaign_id"),
    columns=bilingual(
        ("day", "date", "Day in the platform's zone", "日期（平台时区）"),
        ("source", "string", "Platform", "广告平台"),
        ("campaign_id", "string", "Campaign", "广告计划编号"),
        (
            "ad_id",
            "string",
            "Advertisement; empty where only campaigns are counted",
            "广告编号；仅按计划统计时为空",
        ),
        ("campaign_name", "string", "Name of the campaign", "广告计划名称"),
        ("impressions", "long", "Times shown", "展示数"),
        ("clicks", "long", "Times clicked", "点击数"),
        ("conversions", "double", "Conversions that the platform claims", "转化数"),
        ("leads", "long", "Forms filled in", "线索数"),
        ("spend", "decimal(18,2)", "Cost in `currency`", "花费"),
        ("currency", "string", "ISO 4217", "币种（ISO 4217）"),
        ("time_zone", "string", "IANA zone of the platform's days", "平台时区（IANA）"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

ALL = (CAMPAIGNS, CAMPAIGN_MEMBERS, AD_SPEND)
