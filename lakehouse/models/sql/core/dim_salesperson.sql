/*
doc: "People of the company for reports, each version with the time in which it counts: team, role and manager as they were then."
zh: "员工维度（缓慢变化）：每个版本及其适用时间，含当时的团队、角色与上级。"
kind: view
grain: "one row a version of a user"
key: [salesperson_version]
columns:
  - {name: salesperson_version, doc: "Identifies the version; facts name it", zh: "版本键，事实表以此关联"}
  - {name: salesperson_key, doc: "Identifies the user: `source:user_id`", zh: "员工键"}
  - {name: source, doc: "System that holds the user", zh: "来源系统"}
  - {name: user_id, doc: "Id in its source", zh: "员工编号"}
  - {name: name, doc: "Name", zh: "姓名", pii: true}
  - {name: team, doc: "Team or department", zh: "团队或部门"}
  - {name: role, doc: "Role", zh: "角色"}
  - {name: manager_id, doc: "User above", zh: "上级编号"}
  - {name: store_id, doc: "Place of work", zh: "所属门店"}
  - {name: is_active, type: boolean, doc: "Works here, as the version has it", zh: "是否在职（该版本）"}
  - {name: counts_from, type: timestamptz, doc: "From when facts name it; of the first version since ever", zh: "事实从何时起取此版本；首个版本自始"}
  - {name: counts_to, type: timestamptz, doc: "Until when; null of the last version", zh: "到何时为止；最后版本为空"}
  - {name: is_current, type: boolean, doc: "It holds now; false of who was deleted", zh: "当前有效；已删除的为否"}
*/
WITH versions AS (
    SELECT *, row_number() OVER in_time AS n, lead(valid_from) OVER in_time AS next_from
    FROM core.users
    WHERE valid_from IS NOT NULL
    WINDOW in_time AS (PARTITION BY source, user_id ORDER BY valid_from)
)
SELECT md5(concat_ws(chr(31), source, user_id, epoch_us(valid_from))) AS salesperson_version,
    concat_ws(':', source, user_id) AS salesperson_key, source, user_id, name, team, role, manager_id, store_id, is_active,
    CASE WHEN n = 1 THEN CAST('0001-01-01 00:00:00+00' AS TIMESTAMPTZ) ELSE valid_from END AS counts_from,
    next_from AS counts_to, valid_to IS NULL AS is_current
FROM versions
