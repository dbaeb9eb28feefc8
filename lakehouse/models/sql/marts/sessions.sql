/*
doc: "Visits of site and app: the messages of one device without 30 minutes of silence, of one person and one campaign."
zh: "会话：同一设备上 30 分钟内不间断、属于同一人、同一推广来源的一串消息。"
grain: "one row a session"
key: [session_id]
partition: [month(started_at)]
sort: [started_at, session_id]
columns:
  - {name: session_id, type: string, doc: "Made of the device and the first message: it stays, unless an earlier message comes", zh: "会话编号：由设备与首条消息得出；有更早的消息补到时才会变"}
  - {name: customer_id, type: string, doc: "Customer who signed in, else whose device it is; null while unknown", zh: "登录的客户，否则设备所属的客户；未识别时为空"}
  - {name: anonymous_id, type: string, doc: "Device or browser; null where messages name a user alone", zh: "设备或浏览器编号；消息只带用户编号时为空"}
  - {name: user_id, type: string, doc: "The company's id of who signed in first; null where nobody did", zh: "最先登录的用户编号；无人登录时为空"}
  - {name: started_at, type: timestamptz, doc: "First message, UTC", zh: "首条消息时间（UTC）"}
  - {name: ended_at, type: timestamptz, doc: "Last message, UTC", zh: "末条消息时间（UTC）"}
  - {name: started_on, type: date, doc: "Day of the first message in the zone of the business", zh: "首条消息的日期（业务时区）"}
  - {name: seconds, type: double, doc: "From the first message to the last; 0 where there is one", zh: "首末消息相隔秒数；只有一条时为 0"}
  - {name: events, type: long, doc: "Messages of what somebody did: page, screen, track", zh: "行为消息数：page、screen、track"}
  - {name: pages, type: long, doc: "Pages and screens among them", zh: "其中的页面与屏幕数"}
  - {name: first_page, type: string, doc: "Path of the first page, or name of the first screen; without what stands behind ?", zh: "首个页面的路径或屏幕名；不含 ? 之后的部分"}
  - {name: last_page, type: string, doc: "The same of the last one", zh: "末个页面的路径或屏幕名"}
  - {name: referrer, type: string, doc: "Site that the first page was come to from: its host alone", zh: "首个页面的来源网站，仅域名"}
  - {name: campaign_source, type: string, doc: "utm_source of the campaign that brought it; null without one", zh: "推广来源 utm_source；没有时为空"}
  - {name: campaign_medium, type: string, doc: "utm_medium", zh: "utm_medium"}
  - {name: campaign_name, type: string, doc: "utm_campaign", zh: "utm_campaign"}
  - {name: campaign_content, type: string, doc: "utm_content", zh: "utm_content"}
  - {name: campaign_term, type: string, doc: "utm_term", zh: "utm_term"}
  - {name: click_id, type: string, doc: "Kind of click id that it came with: gclid, fbclid, bd_vid, …", zh: "点击编号的种类：gclid、fbclid、bd_vid 等"}
  - {name: began_with, type: string, doc: "What parts it from the session before: first, silence, campaign or person", zh: "与上一会话的分界：首次、沉默、推广、换人"}
  - {name: is_app, type: boolean, doc: "An app sent it", zh: "来自 App"}
  - {name: viewed_at, type: timestamptz, doc: "First product viewed, UTC; null where none was", zh: "首次浏览商品的时间（UTC）；没有时为空"}
  - {name: added_at, type: timestamptz, doc: "First product put into the cart, UTC", zh: "首次加入购物车的时间（UTC）"}
  - {name: checkout_at, type: timestamptz, doc: "First checkout begun, UTC", zh: "首次开始结算的时间（UTC）"}
  - {name: ordered_at, type: timestamptz, doc: "First order, UTC, as the site or app tells it", zh: "首次下单的时间（UTC），据网站或 App"}
  - {name: channel, type: string, doc: "What brought it: paid search, paid social, paid other, display, affiliate, email, sms, search, social, campaign, referral or direct", zh: "来源渠道：paid search 付费搜索、paid social 付费社交、paid other 其他付费、display 展示广告、affiliate 联盟、email 邮件、sms 短信、search 自然搜索、social 自然社交、campaign 其他推广、referral 外链、direct 直接访问"}
incremental:
  by: "coalesce('device ' || anonymous_id, 'user ' || user_id, '')"
  of:
    raw.events: "coalesce('device ' || anonymous_id, 'user ' || user_id, '')"
    core.identities: {raw.events: [user_id, anonymous_id]}
audits:
  - {name: "it ends no earlier than it starts", condition: "ended_at >= started_at"}
  - {name: "pages are messages", condition: "pages <= events"}
*/
-- A session is as the web analytics of Google and Matomo have it, but that midnight is no border: what was done on one device,
-- or by one user where no device is named, with at most 30 minutes between two messages. Another person who signs in begins a
-- session, and so does a campaign (utm parameters, click id) other than the last one of the session; a message that names none
-- goes on with it, and so does one that names the same again. Signing in as such begins none. Only what somebody did counts:
-- identify, group and alias messages come from servers too,
-- and so do those of what was sent, such as `Email Opened`. Equal moments are in order of their message ids; a message that is
-- there twice counts once. Steps to an order go by the event names of Segment (`Product Added`) and of Google (`add_to_cart`).
-- A clock that says 1970 or 2099 makes a session then.
-- The channel goes by the kind of click id, then utm_medium, then the site that is named as utm_source or was come from; words
-- are those of Google's default channel group and of the platforms of China. A site that is the own one, or takes payments,
-- brings nobody: who comes back after half an hour, or from the cashier, was there before. A `fbclid` is on links that
-- nobody paid for, too.
WITH acts AS (
    SELECT coalesce('device ' || anonymous_id, 'user ' || user_id) AS stream, message_id, timestamp, customer_id, anonymous_id,
        user_id, type IN ('page', 'screen') AS is_page,
        CASE WHEN user_id IS NOT NULL THEN coalesce(customer_id, user_id) END AS person, lower(event) AS event,
        coalesce(CASE WHEN type = 'screen' THEN name END, properties->>'$.path', properties->>'$.url', context->>'$.page.path',
            context->>'$.page.url') AS page,
        coalesce(context->>'$.page.referrer', properties->>'$.referrer') AS referrer,
        CASE WHEN type <> 'screen' THEN coalesce(context->>'$.page.url', properties->>'$.url') END AS address,
        coalesce(type = 'screen' OR (context->'$.app') IS NOT NULL, false) AS is_app,
        CASE WHEN contains(context, '"campaign"') OR contains(context, 'utm_') OR contains(properties, 'utm_')
            OR contains(context, 'id=') OR contains(properties, 'id=')
            THEN replace(concat_ws('#', properties->>'$.url', context->>'$.page.url', context->>'$.page.search'), '+', ' ') END
            AS links,
        CASE WHEN contains(context, '"campaign"') THEN context->'$.campaign' END AS campaign
    FROM core.events
    WHERE type IN ('page', 'screen')
        OR type = 'track' AND NOT regexp_matches(event, '^(?i:email|sms|push notification) ')
),
written AS (
    SELECT *, CASE WHEN links IS NOT NULL THEN {
        'source': regexp_extract(links, '[?&]utm_source=([^&#]*)', 1),
        'medium': regexp_extract(links, '[?&]utm_medium=([^&#]*)', 1),
        'name': regexp_extract(links, '[?&]utm_campaign=([^&#]*)', 1),
        'content': regexp_extract(links, '[?&]utm_content=([^&#]*)', 1),
        'term': regexp_extract(links, '[?&]utm_term=([^&#]*)', 1),
        'click': regexp_extract(links, '[?&]((?:[a-z]*cl(?:ick|k)?id|gbraid|wbraid|bd_vid|li_fat_id)=[^&#]+)', 1)
    } END AS link
    FROM acts
),
decoded AS (
    SELECT * EXCLUDE (links, link, campaign), CASE WHEN links IS NOT NULL THEN {
        'source': coalesce(campaign->>'$.source', TRY(url_decode(link.source)), link.source),
        'medium': coalesce(campaign->>'$.medium', TRY(url_decode(link.medium)), link.medium),
        'name': coalesce(campaign->>'$.name', TRY(url_decode(link.name)), link.name),
        'content': coalesce(campaign->>'$.content', TRY(url_decode(link.content)), link.content),
        'term': coalesce(campaign->>'$.term', TRY(url_decode(link.term)), link.term),
        'click': link.click
    } END AS said
    FROM written
),
messages AS (
    SELECT * EXCLUDE (said), row_number() OVER (ORDER BY stream, timestamp, message_id) AS n,
        CASE WHEN concat(said.source, said.medium, said.name, said.content, said.term, said.click) <> '' THEN said END AS campaign
    FROM decoded
),
-- a message after another of its stream, and how long it was silent before
steps AS (
    SELECT m.n, b.n IS NULL AS is_first,
        b.n IS NULL OR epoch_us(m.timestamp) - epoch_us(b.timestamp) > 1_800_000_000 AS after_silence
    FROM messages AS m
    LEFT JOIN messages AS b ON b.n = m.n - 1 AND b.stream = m.stream
    WHERE b.n IS NULL OR b.timestamp < m.timestamp OR b.message_id <> m.message_id
),
silences AS (SELECT n, CASE WHEN is_first THEN 'first' ELSE 'silence' END AS began_with FROM steps WHERE after_silence),
visits AS (
    SELECT m.n, m.person, m.campaign, s.n AS visit
    FROM messages AS m
    ASOF JOIN silences AS s ON m.n >= s.n
    WHERE m.person IS NOT NULL OR m.campaign IS NOT NULL
),
persons AS (
    SELECT n, 'person' AS began_with FROM visits
    WHERE person IS NOT NULL
    QUALIFY person <> lag(person) OVER (PARTITION BY visit ORDER BY n)
),
campaigns AS (
    SELECT n, 'campaign' AS began_with FROM visits
    WHERE campaign IS NOT NULL
    QUALIFY n > visit AND campaign IS DISTINCT FROM lag(campaign) OVER (PARTITION BY visit ORDER BY n)
),
borders AS (
    SELECT n, max(began_with) AS began_with
    FROM (FROM silences UNION ALL FROM persons UNION ALL FROM campaigns)
    GROUP BY n
),
of_session AS MATERIALIZED (SELECT s.n, b.n AS session, b.began_with FROM steps AS s ASOF JOIN borders AS b ON s.n >= b.n),
placed AS (SELECT m.*, s.session, s.began_with FROM of_session AS s JOIN messages AS m ON m.n = s.n),
sessions AS (
    SELECT any_value(stream) AS stream, min(timestamp) AS started_at, max(timestamp) AS ended_at, count(*) AS events,
        count(*) FILTER (is_page) AS pages, any_value(anonymous_id) AS anonymous_id,
        coalesce(any_value(customer_id) FILTER (person IS NOT NULL), any_value(customer_id)) AS customer_id,
        arg_min(user_id, n) AS user_id, arg_min(message_id, n) AS first_message, any_value(began_with) AS began_with,
        arg_min(page, n) AS first_page, arg_max(page, n) AS last_page, arg_min(referrer, n) AS referrer,
        arg_min(address, n) AS address,
        any_value(campaign) AS campaign, bool_or(is_app) AS is_app,
        min(timestamp) FILTER (event IN ('product viewed', 'viewed product', 'view_item')) AS viewed_at,
        min(timestamp) FILTER (event IN ('product added', 'added product', 'add_to_cart')) AS added_at,
        min(timestamp) FILTER (event IN ('checkout started', 'started checkout', 'begin_checkout')) AS checkout_at,
        min(timestamp) FILTER (event IN ('order completed', 'completed order', 'purchase')) AS ordered_at
    FROM placed
    GROUP BY session
),
described AS (
    SELECT *,
        nullif(regexp_extract(referrer, '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?([^/?#:]+)', 1), '') AS referrer_host,
        regexp_extract(lower(address), '^[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(?:www\.|m\.)?([^/?#:]+)', 1) AS site,
        lower(trim(coalesce(campaign.medium, ''))) AS medium, lower(trim(coalesce(campaign.source, ''))) AS campaign_site,
        split_part(coalesce(campaign.click, ''), '=', 1) AS click
    FROM sessions
),
came_from AS (
    SELECT *,
        CASE
            WHEN campaign_site <> '' THEN campaign_site
            WHEN site <> '' AND ends_with('.' || lower(referrer_host), '.' || site)
                OR regexp_matches(lower(referrer_host),
                    '(^|\.)(paypal|stripe|alipay|tenpay|unionpay|95516|adyen|klarna|mollie|braintreegateway)\.') THEN ''
            ELSE lower(coalesce(referrer_host, ''))
        END AS came_from
    FROM described
),
judged AS (
    SELECT *,
        regexp_matches(came_from, '(^|[._-])(google|bing|baidu|sogou|yahoo|yandex|duckduckgo|ecosia|naver|seznam|search)([._-]|$)'
            || '|(^|\.)(so|sm)(\.com|\.cn|$)') AS is_search,
        regexp_matches(came_from, '(^|[._-])(facebook|instagram|twitter|linkedin|lnkd|pinterest|tiktok|youtube|reddit|snapchat|wechat|'
            || 'weixin|weibo|douyin|toutiao|oceanengine|kuaishou|xiaohongshu|xhs|rednote|bilibili|zhihu)([._-]|$)'
            || '|(^|\.)(fb|ig|meta|x|t|vk|qq)(\.com|\.co|$)') AS is_social
    FROM came_from
)
SELECT md5(concat_ws(' ', stream, epoch_us(started_at), first_message)) AS session_id, customer_id, anonymous_id, user_id,
    started_at, ended_at, CAST(started_at AT TIME ZONE getvariable('time_zone') AS DATE) AS started_on,
    (epoch_us(ended_at) - epoch_us(started_at)) / 1e6 AS seconds, events, pages,
    regexp_extract(first_page, '^(?:[a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 1) AS first_page,
    regexp_extract(last_page, '^(?:[a-z][a-z0-9+.-]*://[^/?#]*)?([^?#]*)', 1) AS last_page,
    referrer_host AS referrer,
    nullif(campaign.source, '') AS campaign_source,
    nullif(campaign.medium, '') AS campaign_medium,
    nullif(campaign.name, '') AS campaign_name,
    nullif(campaign.content, '') AS campaign_content,
    nullif(campaign.term, '') AS campaign_term,
    nullif(click, '') AS click_id, began_with, is_app,
    viewed_at, added_at, checkout_at, ordered_at,
    CASE
        WHEN regexp_matches(medium, '^(e-?mail|e_mail|newsletter|edm|邮件)$') OR medium = '' AND campaign_site IN ('email', 'newsletter', 'edm')
            THEN 'email'
        WHEN regexp_matches(medium, '^(sms|text|mms|短信)$') OR medium = '' AND campaign_site = 'sms' THEN 'sms'
        WHEN regexp_matches(medium, '^affiliates?$|^cps$') THEN 'affiliate'
        WHEN regexp_matches(medium, '^(display|banner|cpm|interstitial|expandable)$') THEN 'display'
        WHEN click IN ('gclid', 'gbraid', 'wbraid', 'msclkid', 'bd_vid', 'yclid') THEN 'paid search'
        WHEN click IN ('ttclid', 'twclid', 'li_fat_id') THEN 'paid social'
        WHEN regexp_matches(medium, '^(.*cp[ac].*|ppc|sem|retargeting|paid.*|feed.?ads?|信息流)$')
            THEN CASE WHEN is_social THEN 'paid social' WHEN is_search THEN 'paid search' ELSE 'paid other' END
        WHEN regexp_matches(medium, '^organic') THEN CASE WHEN is_social THEN 'social' ELSE 'search' END
        WHEN regexp_matches(medium, '^(social|sns|sm)([ _-]?(network|media))?$') THEN 'social'
        WHEN medium = 'referral' THEN 'referral'
        WHEN medium = '' AND is_social OR click = 'fbclid' AND medium = '' THEN 'social'
        WHEN medium = '' AND is_search THEN 'search'
        WHEN medium <> '' OR campaign_site <> '' OR click <> '' OR campaign.name <> '' THEN 'campaign'
        WHEN came_from <> '' THEN 'referral'
        ELSE 'direct'
    END AS channel
FROM judged
