-- Which server this is, and whether it is a replica.
SELECT @SERVER@, pg_catalog.pg_is_in_recovery()
