-- The block that a sequence would run into, found without memory of earlier repairs. Values are numbered from 0, the next
-- value. Returns the number of the last value that a repair should pass, or null with the word for why it should not;
-- or both, where only the beginning of the block should be passed.
--
-- From the nearest id, the last id within a step is reached, again and again. A stretch is dense where 3 of 32 of its
-- values are taken: passed free of charge. It is thin where one in 1 000 is taken: passed as long as all that is charged
-- stays below one step. The block ends before any other stretch.
DROP FUNCTION IF EXISTS pgmedic.block_end(numeric, numeric, numeric, numeric, numeric, text, text, text);
CREATE FUNCTION pgmedic.block_end(
    next numeric, increment numeric, last numeric, step numeric, nearest numeric,
    furthest text,  -- the query of the furthest id from $1 to $2; null where ids are looked for one by one
    taken text,     -- the condition that id v.id is taken
    ids text,       -- the query of all ids from $1 to $2
    OUT passed numeric, OUT held text,
    OUT charged numeric)  -- values that no id held, as far as repairs are charged with them
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $pgmedic$
DECLARE
    max_stretches CONSTANT integer := 200;  -- 20 million values; the next call goes on
    budget CONSTANT numeric := step;
    dense_end numeric := nearest;
    thin_seen boolean := false;
    edge boolean := false;      -- only what the goal asks for is passed, with shorter steps where a whole one is not such
    solid boolean := false;     -- the goal: all values that are looked at are taken; otherwise dense
    length numeric := step;
    stretches integer := 0;
    reached numeric;
    drawn integer;
    hits integer;
    thin boolean;
BEGIN
    passed := nearest;
    charged := nearest;
    WHILE stretches < max_stretches LOOP
        stretches := stretches + 1;
        reached := least(passed + length, last - 1);
        IF reached <= passed THEN
            -- The block reaches the end of the sequence. Past it there is nothing to go to, so that only ids which make the
            -- next inserts fail are passed.
            EXIT WHEN solid OR held IS NOT NULL;
            held := 'limit';
            IF nearest > 0 THEN
                passed := NULL;
                RETURN;
            END IF;
            stretches := 0;
            solid := true;
            edge := true;
            passed := 0;
            charged := 0;
            length := step;
            CONTINUE;
        END IF;
        IF furthest IS NULL THEN
            EXECUTE format('SELECT max(v.k) FROM (SELECT k, $1 + k * $2 AS id FROM generate_series($3, $4) AS k OFFSET 0) AS v
                            WHERE %s', taken)
            INTO reached USING next, increment, passed + 1, reached;
        ELSE
            EXECUTE format('SELECT abs((%s) - $3)', furthest)
            INTO reached
            USING least(next + (passed + 1) * increment, next + reached * increment),
                  greatest(next + (passed + 1) * increment, next + reached * increment), next;
        END IF;
        drawn := least(32, reached - passed);
        hits := 0;
        IF reached IS NOT NULL THEN
            -- All values of a short stretch, 32 random ones of a longer one.
            EXECUTE format('SELECT count(*) FROM unnest($1) AS v (id) WHERE %s', taken)
            INTO hits
            USING ARRAY(SELECT next + increment * CASE WHEN reached - passed <= 32 THEN passed + n
                                                  ELSE passed + 1 + floor(random()::numeric * (reached - passed)) END
                        FROM generate_series(1, drawn) AS n);
        END IF;
        IF reached IS NOT NULL AND (solid AND hits = drawn OR NOT solid AND hits * 32 >= drawn * 3) THEN
            passed := reached;
            length := step;
            IF NOT thin_seen THEN
                dense_end := reached;
            END IF;
        ELSIF edge THEN
            EXIT WHEN length <= 1;
            length := greatest(1, div(length, 10));
        ELSE
            EXIT WHEN reached IS NULL;
            thin := furthest IS NULL;
            IF NOT thin THEN
                EXECUTE format('SELECT count(*) >= $3 FROM (%s LIMIT $3) AS few', ids)
                INTO thin
                USING least(next + (passed + 1) * increment, next + reached * increment),
                      greatest(next + (passed + 1) * increment, next + reached * increment),
                      ceil((reached - passed) / 1000)::bigint;
            END IF;
            IF thin AND charged + reached - passed <= budget THEN
                thin_seen := true;
                charged := charged + reached - passed;
                passed := reached;
            ELSE
                IF thin THEN
                    held := 'thin';
                    passed := dense_end;
                    charged := nearest;
                END IF;
                edge := true;
                length := greatest(1, div(length, 10));
                EXIT WHEN step <= 1;
            END IF;
        END IF;
    END LOOP;
    IF passed >= last - 1 THEN
        EXECUTE format('SELECT passed >= last OR (%s) FROM (SELECT $1, $2, $3) AS v (passed, last, id)', taken)
        INTO solid USING passed, last, next + last * increment;
        IF solid THEN
            passed := NULL;
            held := 'limit';
        END IF;
    END IF;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.block_end(numeric, numeric, numeric, numeric, numeric, text, text, text) FROM PUBLIC;
