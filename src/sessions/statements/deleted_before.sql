-- Notes how many rows of the table this server process has deleted before the batch, as its own statistics say.
SELECT pg_catalog.set_config('pgmedic.deleted_before', (@DELETED@)::text, true)
