-- The base type of each domain, through domains over domains; the modifier nearest to the column counts.
domain_steps (type, base, modifier, depth) AS (
    SELECT t.oid, t.typbasetype, t.typtypmod, 1
    FROM pg_catalog.pg_type t
    WHERE t.typtype = 'd'
  UNION ALL
    SELECT d.type, t.typbasetype, CASE WHEN d.modifier >= 0 THEN d.modifier ELSE t.typtypmod END, d.depth + 1
    FROM domain_steps d
    JOIN pg_catalog.pg_type t ON t.oid = d.base AND t.typtype = 'd'
),
-- MATERIALIZED: computed once, and not again for each column.
domains AS MATERIALIZED (
    SELECT DISTINCT ON (type) type, base, modifier FROM domain_steps ORDER BY type, depth DESC
),
