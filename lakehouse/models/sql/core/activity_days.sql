/*
doc: "Tracked messages of people, not of robots, counted by day and by who sent them, as far as events themselves say it; marts read these counts instead of every event."
zh: "按天、按事件自带的身份统计的事件数（不含机器人）；集市表读它而不必逐条读事件。"
only_on: duckdb
grain: "rows of one day, user id and anonymous id are added up: each batch of new events brings its own"
key: [day, user_id, anonymous_id]
sort: [day]
columns:
  - {name: day, type: date, doc: "Day in the zone of the business", zh: "日期（业务时区）"}
  - {name: user_id, type: string, pii: true, doc: "User id of the events", zh: "事件的用户编号"}
  - {name: anonymous_id, type: string, pii: true, doc: "Anonymous id of the events", zh: "事件的匿名编号"}
  - {name: events, type: long, doc: "Tracked messages", zh: "事件数"}
  - {name: last_event_at, type: timestamptz, doc: "Last of them", zh: "其中最后一次"}
incremental: {appended: raw.events}
*/
SELECT CAST(timestamp AT TIME ZONE getvariable('time_zone') AS DATE) AS day, user_id, anonymous_id, count(*) AS events,
    max(timestamp) AS last_event_at
FROM raw.events
WHERE NOT is_robot(user_agent)
GROUP BY 1, 2, 3
