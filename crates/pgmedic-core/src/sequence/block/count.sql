-- How many ids are taken among some values, counted no further than asked for.
SELECT @COUNT@ AS taken, 1 / (@UNCHANGED@)::integer AS unchanged
