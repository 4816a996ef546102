-- Fails where the batch changed more sessions than it selected: a trigger deleted or updated others with them.
SELECT 1 / ((@CHANGED@) - current_setting('pgmedic.changed_before')::numeric
            <= current_setting('pgmedic.changed')::numeric)::integer
