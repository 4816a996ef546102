-- The row changes of each table of @TABLES@, in it and all its partitions and children. One whose detachment is pending
-- counts too: that costs at most a needless read.
WITH RECURSIVE tree (root, t) AS (
    SELECT t, t FROM unnest('{@TABLES@}'::oid[]) AS t
  UNION
    SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.t
)
SELECT root::bigint, sum(@ROW_CHANGES@)::bigint FROM tree GROUP BY root
