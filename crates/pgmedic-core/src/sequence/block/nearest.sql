-- The first taken id from one value to another; one row, null where there is none. Divides by zero where a name no longer
-- stands for the relation that was discovered.
SELECT @FIRST@ AS nearest, 1 / (@UNCHANGED@)::integer AS unchanged
