-- A map of what keeps the type of a column as it is, by table and column, of the columns (rel, att) that @COLUMNS@ finds. A
-- map is looked up as quickly where the planner expects another number of rows, as just after a restore.
obstacles (map) AS MATERIALIZED (
    SELECT jsonb_object_agg(o.rel || ':' || o.att, pg_catalog.format(o.phrase,
@OBJECT_NAME@
               ) ORDER BY o.classid DESC, o.objid DESC)
    FROM (
@WIDEN_OBSTACLES@
    ) AS o
    -- IS TRUE makes it a look-up in a hash table.
    WHERE ((o.rel, o.att) IN (@COLUMNS@)) IS TRUE
)
