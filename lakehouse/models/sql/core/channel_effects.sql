/*
doc: "What each channel is worth: the share of orders that would be lost if all its visits led nowhere."
zh: "各渠道的价值：若其访问全部落空，会损失多少比例的订单（马尔可夫移除效应）。"
only_on: duckdb
grain: one row a channel
key: [channel]
columns:
  - {name: channel, doc: "As in `marts.sessions`", zh: "同 marts.sessions"}
  - {name: effect, type: "decimal(18,9)", doc: "Share of orders that would be lost, 0 to 1", zh: "会损失的订单比例，0 到 1"}
audits:
  - {name: "a share is a share", condition: "effect BETWEEN 0 AND 1"}
*/
-- The removal effect of Anderl et al. (2016): visits make a chain of channels that ends in an order or in none, and a channel is
-- worth what the chance of an order loses where all its visits lead nowhere.
WITH RECURSIVE counted AS (SELECT origin, target, sum(steps) AS paths FROM core.channel_steps GROUP BY origin, target),
transitions AS (SELECT origin, target, paths / sum(paths) OVER (PARTITION BY origin) AS share FROM counted),
chances AS (
    SELECT '' AS removed, 'order' AS state, 0 AS step, 1.0::DOUBLE AS chance
    UNION ALL
    SELECT DISTINCT target, 'order', 0, 1.0::DOUBLE FROM transitions WHERE target NOT IN ('order', 'nothing')
    UNION ALL
    SELECT removed, state, step, sum(chance)
    FROM (
        SELECT c.removed, t.origin AS state, c.step + 1 AS step, t.share * c.chance AS chance
        FROM chances AS c
        JOIN transitions AS t ON t.target = c.state AND t.target <> c.removed
        UNION ALL
        SELECT removed, state, step + 1, chance FROM chances WHERE state = 'order'
    )
    WHERE step <= 60
    GROUP BY removed, state, step
),
begun AS (SELECT removed, chance FROM chances WHERE state = 'begin' AND step = 60)
SELECT w.removed AS channel, CAST(greatest(1 - coalesce(b.chance, 0) / a.chance, 0) AS DECIMAL(18, 9)) AS effect
FROM (SELECT DISTINCT removed FROM chances WHERE removed <> '') AS w
JOIN begun AS a ON a.removed = ''
LEFT JOIN begun AS b ON b.removed = w.removed
