/*
doc: "What browsers and programs say of themselves, read once: browser, system, device, and whether a robot is behind it."
zh: "浏览器与程序的自述（User-Agent）解析结果：浏览器、系统、设备类型，以及是否为机器人；每个文本一行。"
only_on: duckdb
grain: "one row a user agent that an event names"
key: [user_agent]
sort: [user_agent]
columns:
  - {name: user_agent, type: string, pii: true, doc: "The text as events name it: `raw.events.user_agent`", zh: "事件中的原文"}
  - {name: browser, type: string, doc: "Family of the browser or program, such as Mobile Safari or WeChat Browser; null where it names none", zh: "浏览器或程序"}
  - {name: browser_version, type: string, doc: "First part of its version", zh: "主版本号"}
  - {name: os, type: string, doc: "System, such as Android, iOS, Windows, Mac OS X; an iPad that asks for pages as a Mac does is one", zh: "操作系统"}
  - {name: os_version, type: string, doc: "First part of its version; Windows 11 says 10", zh: "系统主版本号"}
  - {name: device, type: string, doc: "Device or its model, where it says one; null of robots", zh: "设备或型号；机器人为空"}
  - {name: device_type, type: string, doc: "desktop, mobile, tablet, tv, console or watch; null where it does not say, and of robots", zh: "设备类型：desktop 桌面、mobile 手机、tablet 平板、tv 电视、console 游戏机、watch 手表；机器人为空"}
  - {name: is_bot, type: boolean, doc: "A robot: a crawler, a monitor, a preview, a browser without a person; a plain HTTP library is none", zh: "是否为机器人（爬虫、监控、预览、无人浏览器）；普通 HTTP 库不算"}
incremental:
  by: user_agent
  of:
    raw.events: user_agent
*/
-- Each text is read once, and again when ua-parser or the list of robots is a newer one: see lakehouse/engine/user_agents.py.
WITH said AS (
    SELECT DISTINCT user_agent FROM raw.events WHERE user_agent <> ''
),
facts AS (SELECT user_agent, user_agent_facts(user_agent) AS facts FROM said)
SELECT user_agent, facts->>'$.browser' AS browser, facts->>'$.browser_version' AS browser_version, facts->>'$.os' AS os,
    facts->>'$.os_version' AS os_version, facts->>'$.device' AS device, facts->>'$.device_type' AS device_type,
    facts->>'$.is_bot' = 'true' AS is_bot
FROM facts
