"""How a company serves: tickets and what became of them, what customers answered, rated and said elsewhere."""

from __future__ import annotations

from lakehouse.tables.contract import Contract, bilingual

TICKETS = Contract(
    name="core.tickets",
    doc="Requests and complaints of customers: a slowly changing dimension with each version's time.",
    zh="工单：客户的咨询、报修与投诉，每个版本带有有效时间",
    grain="one row a version of a ticket",
    key=("source", "ticket_id", "valid_from"),
    sort=("ticket_id", "valid_from"),
    columns=bilingual(
        ("ticket_id", "string", "Id in its source", "来源系统中的工单编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("customer_id", "string", "Customer; null while unresolved", "对应的客户；未识别时为空"),
        ("subject", "string", "Subject", "主题", "pii"),
        ("body", "string", "What the customer wrote", "内容", "pii"),
        ("kind", "string", "Kind: question, complaint, repair, … as the source calls it", "工单类型"),
        ("status", "string", "Status as the source calls it", "工单状态"),
        ("priority", "string", "Priority as the source calls it", "优先级"),
        ("channel", "string", "How it came in", "渠道"),
        ("contact_id", "string", "Contact who asked", "联系人编号"),
        ("account_id", "string", "Account who asked", "客户（公司）编号"),
        ("order_id", "string", "Order it is about", "订单编号"),
        ("product_id", "string", "Product it is about", "商品编号"),
        ("owner_id", "string", "User who works on it", "处理人编号"),
        ("satisfaction", "double", "Customer's rating of the service, 0 to 1", "满意度（0 到 1）"),
        ("is_closed", "boolean", "Nothing is left to do", "是否已关闭"),
        ("created_at", "timestamptz", "When it came in", "创建时间"),
        ("first_reply_at", "timestamptz", "First answer to the customer", "首次响应时间"),
        ("closed_at", "timestamptz", "When it was closed", "关闭时间"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
        ("valid_from", "timestamptz", "From when this version held", "版本生效时间"),
        ("valid_to", "timestamptz", "Until when; null while it holds", "版本失效时间；仍有效时为空"),
    ),
)

TICKET_STATUSES = Contract(
    name="core.ticket_statuses",
    doc="When a ticket entered which status, as the source's own history tells.",
    zh="工单状态历史：工单何时进入哪个状态",
    grain="one row a change of a ticket's status",
    key=("source", "change_id"),
    sort=("entered_at",),
    columns=bilingual(
        ("change_id", "string", "Id in its source", "变更记录编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("ticket_id", "string", "Ticket", "工单编号"),
        ("status", "string", "Status entered, as the source calls it", "进入的状态"),
        ("entered_at", "timestamptz", "When, UTC", "进入时间（UTC）"),
        ("user_id", "string", "Who changed it", "操作人编号"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

SURVEY_ANSWERS = Contract(
    name="core.survey_answers",
    doc="Answers to surveys and ratings: NPS, satisfaction, stars, free text.",
    zh="问卷与评分：NPS、满意度、星级、文字回答",
    grain="one row an answer to a question",
    key=("source", "answer_id"),
    sort=("answered_at",),
    columns=bilingual(
        ("answer_id", "string", "Id in its source", "回答编号"),
        ("source", "string", "System that holds it", "来源系统"),
        ("customer_id", "string", "Customer; null while unresolved", "对应的客户；未识别时为空"),
        ("survey_id", "string", "Survey or form", "问卷编号"),
        ("question", "string", "Question", "问题"),
        ("score", "double", "Number given", "分数"),
        ("scale_max", "double", "Highest number that could be given", "满分"),
        ("answer", "string", "Text given", "文字回答", "pii"),
        ("subject_kind", "string", "What is rated: order, product, ticket, visit, company", "评价对象类型"),
        ("subject_id", "string", "Which one", "评价对象编号"),
        ("answered_at", "timestamptz", "When, UTC", "回答时间（UTC）"),
        ("time_zone", "string", "IANA zone of the source", "来源时区（IANA）"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

MENTIONS = Contract(
    name="core.mentions",
    doc="What is said of the company elsewhere: reviews, posts, comments.",
    zh="舆情：评论、帖子、点评",
    grain="one row a mention",
    key=("source", "mention_id"),
    sort=("published_at",),
    columns=bilingual(
        ("mention_id", "string", "Id in its source", "提及编号"),
        ("source", "string", "System that collected it", "来源系统"),
        ("customer_id", "string", "Customer who wrote it, where known", "对应的客户；未识别时为空"),
        ("platform", "string", "Where it stands", "平台"),
        ("kind", "string", "review, post, comment or message", "类型：点评、帖子、评论、私信"),
        ("author", "string", "Name of the author there", "作者", "pii"),
        ("url", "string", "Address", "链接"),
        ("text", "string", "What it says", "内容", "pii"),
        ("rating", "double", "Stars or the like, 0 to 1", "评分（0 到 1）"),
        ("product_id", "string", "Product it is about", "商品编号"),
        ("place_id", "string", "Place it is about", "地点编号"),
        ("likes", "long", "How many liked it", "点赞数"),
        ("published_at", "timestamptz", "When, UTC", "发布时间（UTC）"),
        ("updated_at", "timestamptz", "Last change in the source", "更新时间"),
    ),
)

ALL = (TICKETS, TICKET_STATUSES, SURVEY_ANSWERS, MENTIONS)
