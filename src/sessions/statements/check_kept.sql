-- Fails where the batch selected sessions that are still there: a trigger kept them.
SELECT 1 / (current_setting('pgmedic.ended') = current_setting('pgmedic.found'))::integer
