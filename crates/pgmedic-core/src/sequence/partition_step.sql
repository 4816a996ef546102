-- The recursive part of a query `tree (root, member)`: the partitions and children of the members found so far.
    SELECT t.root, i.inhrelid
    FROM tree t
    JOIN pg_catalog.pg_inherits i ON i.inhparent = t.member
    -- A query of the parent does not read a partition whose detachment is pending (PostgreSQL 14 and newer).
    WHERE COALESCE(to_jsonb(i) ->> 'inhdetachpending', 'false') = 'false'
