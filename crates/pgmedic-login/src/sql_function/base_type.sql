            -- The base type of column a, through domains over domains.
            WITH RECURSIVE base (type, modifier, depth) AS (
                SELECT a.atttypid, a.atttypmod, 0
              UNION ALL
                SELECT t.typbasetype, CASE WHEN base.modifier >= 0 THEN base.modifier ELSE t.typtypmod END, base.depth + 1
                FROM base JOIN pg_type t ON t.oid = base.type AND t.typtype = 'd'
            )
            SELECT base.type, base.modifier FROM base ORDER BY base.depth DESC LIMIT 1
