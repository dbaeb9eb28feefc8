"""The tables that scores fill, and those that they are computed from."""

from __future__ import annotations

from typing import Final

from lakehouse.tables.contract import Column, Contract, bilingual

CUSTOMER: Final = ("customer_id", "string", "Customer", "客户编号")
AS_OF: Final = ("as_of", "date", "Day the score looks ahead from", "评分基准日")

# Each row says where it is from; they move only when the row does
PROVENANCE: Final = (
    (
        "model_version",
        "string",
        "Version of the model, and the method that was used: see `marts.score_runs`",
        "模型版本及所用方法",
    ),
    (
        "inputs",
        "string",
        "JSON: the snapshots of the tables that the row was first computed from, as it stands",
        "计算依据的各表快照（JSON）",
    ),
    ("computed_at", "timestamptz", "When it was first computed, as it stands", "计算时间"),
)
MOVES_WITH_ROW: Final = ("inputs", "computed_at")

CLV = Contract(
    name="marts.clv",
    doc="What each buyer is expected to buy and to spend (BG/NBD and Gamma-Gamma); null where too few have bought.",
    zh="客户终身价值：预计购买次数与金额",
    grain="one row a customer with an order",
    key=("customer_id",),
    sort=("customer_id",),
    columns=bilingual(
        CUSTOMER,
        AS_OF,
        (
            "probability_alive",
            "double",
            "Chance that the customer has not left for good; 1 for who bought once, as the model has it",
            "仍活跃的概率（0 到 1）",
        ),
        ("purchases_30d", "double", "Days with a purchase expected in 30 days", "未来 30 天预计购买天数"),
        ("purchases_90d", "double", "The same in 90 days", "未来 90 天预计购买天数"),
        ("purchases_365d", "double", "The same in 365 days", "未来 365 天预计购买天数"),
        (
            "value_of_purchase",
            "double",
            "What the customer is expected to spend on such a day, in `currency`",
            "预计每个购买日金额",
        ),
        ("value_30d", "double", "What the customer is expected to spend in 30 days", "未来 30 天预计消费"),
        ("value_90d", "double", "The same in 90 days", "未来 90 天预计消费"),
        ("value_365d", "double", "The same in 365 days", "未来 365 天预计消费"),
        ("currency", "string", "ISO 4217 of all sums", "币种（ISO 4217）"),
        *PROVENANCE,
    ),
)

CHURN_RISK = Contract(
    name="marts.churn_risk",
    doc="The chance that a buyer buys nothing in the next 90 days, and why; null where the past is too short.",
    zh="流失风险：未来 90 天不再购买的概率及原因",
    grain="one row a customer with an order",
    key=("customer_id",),
    sort=("customer_id",),
    columns=bilingual(
        CUSTOMER,
        AS_OF,
        (
            "churn_probability",
            "double",
            "Chance of no purchase, 0 to 1, calibrated",
            "流失概率（0 到 1，已校准）",
        ),
        (
            "reasons",
            "string",
            "What sets the customer apart from those who stay, weightiest first; null where nothing does",
            "流失原因（英文）",
        ),
        ("reasons_zh", "string", "The same in Chinese", "流失原因"),
        *PROVENANCE,
    ),
)

NEXT_PRODUCTS = Contract(
    name="marts.next_products",
    doc="Products that a customer is likely to buy next, by what the same customers bought.",
    zh="下一步推荐商品",
    grain="one row a customer with known products, and rank",
    key=("customer_id", "rank"),
    sort=("customer_id", "rank"),
    columns=bilingual(
        CUSTOMER,
        ("rank", "int", "1 is the likeliest, 10 the last", "名次（1 为最可能）"),
        ("source", "string", "Shop", "来源系统"),
        ("product_id", "string", "Product in its source", "商品编号"),
        (
            "score",
            "double",
            "Strength, to compare within a customer; 0 where the product is only what most buy",
            "推荐强度；0 表示仅为热销商品",
        ),
        ("bought_before", "boolean", "The customer has had it", "是否购买过"),
        AS_OF,
        *PROVENANCE,
    ),
)

VIP_PROPENSITY = Contract(
    name="marts.vip_propensity",
    doc="The chance that a buyer is among the best payers of the next 180 days; null where the past is too short.",
    zh="成为高价值客户的概率",
    grain="one row a customer with an order",
    key=("customer_id",),
    sort=("customer_id",),
    columns=bilingual(
        CUSTOMER,
        AS_OF,
        ("is_vip", "boolean", "Spent at least `vip_level` in the last 180 days", "当前是否为高价值客户"),
        (
            "vip_level",
            "double",
            "What the best tenth of the buyers of the last 180 days spent at least, in the home currency",
            "高价值门槛（近 180 天消费前 10%）",
        ),
        (
            "vip_probability",
            "double",
            "Chance to spend that in the next 180 days, 0 to 1, calibrated",
            "未来 180 天达到门槛的概率（0 到 1，已校准）",
        ),
        *PROVENANCE,
    ),
)

SCORE_RUNS = Contract(
    name="marts.score_runs",
    doc="Each run that changed a score: the method that was used, why, and how good it was on days it had not seen.",
    zh="评分模型运行记录与质量",
    grain="one row a run of a score that changed its rows",
    key=("run_id",),
    sort=("computed_at",),
    columns=bilingual(
        ("run_id", "string", "Digest of the score and what it was computed from", "运行编号"),
        ("score", "string", "Table that was filled", "评分表"),
        ("model_version", "string", "As in its rows", "模型版本及所用方法"),
        ("method", "string", "Method that was used; none where nothing could be computed", "所用方法"),
        (
            "reason",
            "string",
            "Why there are no scores, or what stood in for the usual; null where there is nothing to say",
            "未评分或降级的原因",
        ),
        AS_OF,
        ("customers", "long", "Customers with a row", "客户数"),
        ("auc", "double", "Chance that of two customers the right one scores higher", "AUC"),
        ("brier", "double", "Mean squared distance of chances from what happened", "Brier 分数"),
        ("mae", "double", "Mean distance of expected from actual purchases", "平均绝对误差"),
        ("ndcg", "double", "nDCG at 10 of the ranked products", "nDCG@10"),
        (
            "figures",
            "string",
            "JSON: parameters, log-likelihood, the methods compared, the calibration table",
            "参数与质量明细（JSON）",
        ),
        (
            "inputs",
            "string",
            "JSON: the snapshots that it was computed from, and versions",
            "计算依据（JSON）",
        ),
        ("computed_at", "timestamptz", "When", "计算时间"),
    ),
)

# What scores are computed from: what these are made of may read no score, or each look would compute both anew.
COMPUTED_FROM: Final = (
    "core.activity_days",
    "core.home_currency",
    "core.identities",
    "core.order_items",
    "core.order_values",
    "core.refunds",
    "core.tickets",
)
SCORES: Final = (CLV, CHURN_RISK, NEXT_PRODUCTS, VIP_PROPENSITY)
ALL: Final = (*SCORES, SCORE_RUNS)


def payload(contract: Contract) -> tuple[Column, ...]:
    """Return the columns that a row's provenance moves with: equal ones are no news."""
    return tuple(column for column in contract.columns if column.name not in MOVES_WITH_ROW)
