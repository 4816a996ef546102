-- Notes how many rows of the table this server process has changed before the batch, as its own statistics say.
SELECT pg_catalog.set_config('pgmedic.changed_before', (@CHANGED@)::text, true)
