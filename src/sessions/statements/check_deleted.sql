-- Fails where the batch deleted more sessions than it selected: a trigger deleted others with them.
SELECT 1 / ((@DELETED@) - current_setting('pgmedic.deleted_before')::numeric
            <= current_setting('pgmedic.ended')::numeric)::integer
