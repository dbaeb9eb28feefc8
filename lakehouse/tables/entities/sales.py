"""How a company sells: deals and their stages, what was done for them, and by whom."""

from __future__ import annotations

from lakehouse.tables.contract import Contract, bilingual

DEALS = Contract(
    name="core.deals",
    doc="Sales opportunities of every CRM in one shape: a slowly changing dimension with each version's time.",
    zh="商机：来自各个 CRM，统一格式，每个版本带有有效时间",
    grain="one row a version of a deal",
    key=("source", "deal_id", "valid_from"),
    columns=bilingual(
        ("deal_id", "string", "Id in its source", "来源系统中的商机编号"),
        ("source", "string", "CRM", "来源系统"),
        (
            "customer_id",
            "string",
            "Customer; null where the deal names no known contact",
            "对应的客户；未识别时为空",
        ),
        ("name", "string", "Title", "商机名称"),
        ("stage", "string", "Stage as the CRM calls it", "商机阶段"),
        ("amount", "decimal(14,2)", "Value in `currency`", "商机金额"),
        ("currency", "string", "ISO 4217", "币种（ISO 4217）"),
        ("is_closed", "boolean", "Closed, won or lost", "是否已关闭"),
        ("is_won", "boolean", "Won", "是否赢单"),
        ("close_date", "date", "Expected or actual close", "预计或实际成交日期"),
        ("created_at", "timestamptz", "Creation in the CRM", "创建时间"),
        ("updated_at", "timestamptz", "Last change in the CRM", "更新时间"),
        ("account_id", "string", "Account the deal is made with", "客户（公司）编号"),
        ("contact_id", "string", "Contact the deal is made with", "联系人编号"),
        ("owner_id", "string", "User who works on it", "负责人编号"),
        ("pipeline", "string", "Pipeline or process", "销售流程"),
        ("probability", "double", "Chance of winning that the CRM states, 0 to 1", "赢单概率（0 到 1）"),
        ("channel", "string", "Where the deal came from", "商机来源渠道"),
        ("loss_reason", "string", "Why it was lost", "输单原因"),
        ("campaign_id", "string", "Campaign that brought it", "市场活动编号"),
        ("valid_from", "timestamptz", "From when this version held", "版本生效时间"),
        ("valid_to", "timestamptz", "Until when; null while it holds", "版本失效时间；仍有效时为空"),
    ),
)

DEAL_STAGES = Contract(
    name="core.deal_stages",
    doc="When a deal entered which stage, as the CRM's own history tells.",
    zh="商机阶段历史：商机何时进入哪个阶段",
    grain="one row a change of a deal's stage",
    key=("source", "change_id"),
    sort=("entered_at",),
    columns=bilingual(
        ("change_id", "string", "Id in its source", "变更记录编号"),
        ("source", "string", "CRM", "来源系统"),
        ("deal_id", "string", "Deal", "商机编号"),
        ("stage", "string", "Stage entered, as the CRM calls it", "进入的阶段"),
        ("amount", "decimal(14,2)", "Value then, in `currency`", "当时金额"),
        ("currency", "string", "ISO 4217", "币种（ISO 4217）"),
        ("probability", "double", "Chance of winning then, 0 to 1", "当时赢单概率"),
        ("entered_at", "timestamptz", "When, UTC", "进入时间（UTC）"),
        ("user_id", "string", "Who changed it", "操作人编号"),
        ("updated_at", "timestamptz", "Last change in the CRM", "更新时间"),
    ),
)

ACTIVITIES = Contract(
    name="core.activities",
    doc="What people of the company did for a customer: calls, e-mails, meetings, messages, notes, tasks.",
    zh="跟进记录：电话、邮件、会议、消息、备注、任务",
    grain="one row an activity",
    key=("source", "activity_id"),
    sort=("occurred_at",),
    columns=bilingual(
        ("activity_id", "string", "Id in its source", "来源系统中的活动编号"),
        ("source", "string", "CRM", "来源系统"),
        ("customer_id", "string", "Customer; null while unresolved", "对应的客户；未识别时为空"),
        (
            "kind",
            "string",
            "call, email, meeting, message, note or task",
            "类型：电话、邮件、会议、消息、备注、任务",
        ),
        ("direction", "string", "inbound or outbound, where known", "方向：呼入或呼出"),
        ("subject", "string", "Subject", "主题", "pii"),
        ("body", "string", "What was said or written", "内容", "pii"),
        ("outcome", "string", "Outcome as the CRM calls it", "结果"),
        ("duration_s", "double", "Duration in seconds", "时长（秒）"),
        ("user_id", "string", "Who did it", "执行人编号"),
        ("contact_id", "string", "With which contact", "联系人编号"),
        ("account_id", "string", "With which account", "客户（公司）编号"),
        ("deal_id", "string", "For which deal", "商机编号"),
        ("ticket_id", "string", "For which ticket", "工单编号"),
        ("occurred_at", "timestamptz", "When, UTC", "发生时间（UTC）"),
        ("time_zone", "string", "IANA zone of the source", "来源时区（IANA）"),
        ("next_at", "timestamptz", "When to follow up", "下次跟进时间"),
        ("created_at", "timestamptz", "When it was written down", "记录时间"),
        ("updated_at", "timestamptz", "Last change in the CRM", "更新时间"),
    ),
)

USERS = Contract(
    name="core.users",
    doc="People of the company: salespeople, agents, consultants, with their team.",
    zh="员工：销售、客服、顾问及其团队",
    grain="one row a version of a user",
    key=("source", "user_id", "valid_from"),
    sort=("user_id", "valid_from"),
    columns=bilingual(
        ("user_id", "string", "Id in its source", "来源系统中的员工编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("name", "string", "Name", "姓名", "pii"),
        ("email", "string", "E-mail address", "电子邮箱", "pii"),
        ("team", "string", "Team or department", "团队或部门"),
        ("role", "string", "Role", "角色"),
        ("manager_id", "string", "User above", "上级编号"),
        ("store_id", "string", "Place of work", "所属门店"),
        ("is_active", "boolean", "Works here now", "是否在职"),
        ("created_at", "timestamptz", "Since when the system knows them", "创建时间"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
        ("valid_from", "timestamptz", "From when this version held", "版本生效时间"),
        ("valid_to", "timestamptz", "Until when; null while it holds", "版本失效时间；仍有效时为空"),
    ),
)

OWNERSHIPS = Contract(
    name="core.ownerships",
    doc="Which user looked after which customer when, as the source tells.",
    zh="客户归属：哪位员工在何时负责哪位客户",
    grain="one row a stretch of time in which a user had a customer",
    key=("source", "ownership_id"),
    sort=("owned_from",),
    columns=bilingual(
        ("ownership_id", "string", "Id in its source", "归属记录编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("customer_id", "string", "Customer; null while unresolved", "对应的客户；未识别时为空"),
        ("user_id", "string", "User", "员工编号"),
        ("contact_id", "string", "Contact that was looked after", "联系人编号"),
        ("account_id", "string", "Account that was looked after", "客户（公司）编号"),
        ("owned_from", "timestamptz", "Since when", "开始时间"),
        ("owned_to", "timestamptz", "Until when; null while it lasts", "结束时间；仍负责时为空"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

ALL = (DEALS, DEAL_STAGES, ACTIVITIES, USERS, OWNERSHIPS)
