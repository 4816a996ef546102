-- The cheaper form of guard.sql, for tables without children. It divides by zero also when the function or operator in an
-- index, statistics, a constraint or the partition key has a trusted owner.
-- @RELATIONS@: OIDs; @UNCHANGED@: conditions that each name still stands for its relation.
SELECT 1 / (
    NOT EXISTS (SELECT FROM pg_class WHERE oid = ANY ('{@RELATIONS@}'::oid[]) AND relkind NOT IN ('r', 'p', 'S'))
    AND NOT EXISTS (
        SELECT FROM pg_depend part
        JOIN pg_depend d ON d.classid = part.classid AND d.objid = part.objid AND d.objsubid = 0
        WHERE part.refclassid = 'pg_class'::regclass AND part.refobjid = ANY ('{@RELATIONS@}'::oid[])
          AND part.classid IN ('pg_class'::regclass, 'pg_statistic_ext'::regclass, 'pg_constraint'::regclass)
          AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND d.refobjid >= 16384)
    AND @UNCHANGED@
)::integer
