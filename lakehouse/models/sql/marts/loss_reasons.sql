/*
doc: "Why deals were lost, by the channel that they came from."
zh: "按来源渠道统计的输单原因。"
grain: "one row a CRM, channel and reason"
key: [source, channel, reason]
sort: [source, channel]
columns:
  - {name: source, type: string, doc: "CRM", zh: "来源系统"}
  - {name: channel, type: string, doc: "Where the deal came from; `unknown` where the CRM does not say", zh: "商机来源渠道；未写时为 unknown"}
  - {name: reason, type: string, doc: "Why it was lost, as the CRM has it; `unknown` where it says nothing", zh: "输单原因；未写时为 unknown"}
  - {name: lost, type: long, doc: "Lost deals", zh: "输单数"}
  - {name: amount, type: "decimal(18,2)", doc: "Their value in the home currency at the rate of `as_of`, as far as known", zh: "输单金额（本位币），已知部分"}
  - {name: lost_of_channel, type: long, doc: "Lost deals of the channel in this CRM, for whatever reason", zh: "该系统该渠道的全部输单数"}
  - {name: share, type: double, doc: "Share of the reason in these", zh: "该原因占比"}
  - {name: last_lost_on, type: date, doc: "Day of the last one", zh: "最近一次输单日期"}
audits:
  - {name: "a share is between 0 and 1", condition: "share BETWEEN 0 AND 1"}
*/
WITH latest_rates AS (
    SELECT currency, arg_max(rate, day) AS rate FROM core.home_rates WHERE day <= getvariable('as_of') GROUP BY currency
),
lost AS (
    SELECT d.source, coalesce(nullif(trim(d.channel), ''), 'unknown') AS channel,
        coalesce(nullif(trim(d.loss_reason), ''), 'unknown') AS reason, d.close_date,
        CASE WHEN d.currency IS NULL OR d.currency = h.currency THEN d.amount
            ELSE TRY_CAST(d.amount * r.rate AS DECIMAL(18, 2)) END AS amount
    FROM core.deals AS d
    LEFT JOIN core.home_currency AS h ON true
    LEFT JOIN latest_rates AS r ON r.currency = d.currency
    WHERE d.valid_to IS NULL AND d.is_closed AND NOT coalesce(d.is_won, false)
        AND coalesce(d.close_date <= getvariable('as_of'), true)
)
SELECT source, channel, reason, count(*) AS lost, coalesce(sum(amount), 0) AS amount,
    sum(count(*)) OVER (PARTITION BY source, channel) AS lost_of_channel,
    count(*) / sum(count(*)) OVER (PARTITION BY source, channel) AS share, max(close_date) AS last_lost_on
FROM lost
GROUP BY source, channel, reason
