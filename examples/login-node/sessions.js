// Sessions in the table of docs/migrations/user_sessions.sql, one live one per user.
import { createHash, randomBytes } from "node:crypto";

/** A session ends when nothing was heard for so many seconds (OWASP: 15 to 30 minutes). */
export const IDLE = 30 * 60;

/** How often an insert is run again. Each further time, the sequence must have been set back in the moment before. */
const RETRIES = 3;

/** What makes a taken id free again, before the insert is run once more. */
const CURES = {
  repair: "SELECT pgmedic.repair('public.user_sessions', 'session_id')",
  // What this example is there to replace: it moves the sequence back, past ids that others were given meanwhile.
  setval: `SELECT setval('public.user_sessions_session_id_seq',
                         (SELECT max(session_id) + 1 FROM user_sessions), false)`,
};

const INSERT = `INSERT INTO user_sessions (user_id, token_hash, expires_at)
                VALUES ($1, $2, now() + $3 * interval '1 second') RETURNING session_id`;

/** The database keeps only this: whoever reads it cannot take over a session. */
const hash = (token) => createHash("sha256").update(token).digest();

/** A session store on a pool of node-postgres. `retry` names one of the cures. */
export function sessions(pool, retry = "repair") {
  const cure = CURES[retry];
  if (!cure) throw new Error(`LOGIN_RETRY is "${retry}"; expected ${Object.keys(CURES).join(" or ")}`);

  /** Opens a session, ends the user's older ones, and returns its token: all or nothing. */
  async function createSession(user) {
    const token = randomBytes(32).toString("hex");
    await transaction(pool, async (client) => {
      // Logins of the same user wait for each other here, so that one session is left of any number.
      await client.query("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", [user]);
      const id = await insert(client, user, token);
      // Only now: until then the repair sees the user's newest id, and nobody is given it again.
      await client.query("DELETE FROM user_sessions WHERE user_id = $1 AND session_id <> $2", [user, id]);
    });
    return token;
  }

  /** The insert that heals itself, in a transaction. Every other error passes through. */
  async function insert(client, user, token) {
    for (let retries = 0; ; retries++) {
      await client.query("SAVEPOINT login");
      try {
        const { rows } = await client.query(INSERT, [user, hash(token), IDLE]);
        return rows[0].session_id;
      } catch (error) {
        const taken = error.code === "23505" && error.constraint === "user_sessions_pkey";
        if (!taken || retries === RETRIES) throw error;
        await client.query("ROLLBACK TO SAVEPOINT login");
        await client.query(cure);
        console.error(`a session's id was taken; after a ${retry}, it is tried again`);
      }
    }
  }

  /** Whose live session this is, which now has its whole time to live again; undefined when it is none. */
  async function touch(token) {
    const { rows } = await pool.query(
      `UPDATE user_sessions SET expires_at = now() + $2 * interval '1 second'
       WHERE token_hash = $1 AND expires_at > now() RETURNING user_id`,
      [hash(token), IDLE],
    );
    return rows[0]?.user_id;
  }

  async function revoke(token) {
    await pool.query("DELETE FROM user_sessions WHERE token_hash = $1", [hash(token)]);
  }

  return { createSession, touch, revoke };
}

/** Runs `work` in a transaction. A connection that cannot even roll back is thrown away. */
async function transaction(pool, work) {
  const client = await pool.connect();
  let broken;
  try {
    // Whatever the database prefers: each statement sees what the login before it has done.
    await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
    await work(client);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch((failure) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
}
