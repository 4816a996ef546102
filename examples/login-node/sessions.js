// Sessions in the table of docs/migrations/user_sessions.sql, at most one live session per user.
import { createHash, randomBytes } from "node:crypto";

/** A session ends after this many seconds without a request (OWASP: 15 to 30 minutes). */
export const IDLE = 30 * 60;

/** How often an insert is retried. A second retry is needed only if the sequence was moved back again meanwhile. */
const RETRIES = 3;

/** Statements that move the sequence past the taken ids, before the insert is retried. */
const REPAIRS = {
  repair: "SELECT pgmedic.repair('public.user_sessions', 'session_id')",
  // The usual fix, for comparison. It is unsafe: it can move the sequence back, behind ids that were given out meanwhile.
  setval: `SELECT setval('public.user_sessions_session_id_seq',
                         (SELECT max(session_id) + 1 FROM user_sessions), false)`,
};

const INSERT = `INSERT INTO user_sessions (user_id, token_hash, expires_at)
                VALUES ($1, $2, now() + $3 * interval '1 second') RETURNING session_id`;

/** The database stores only this hash, so that a reader of the table cannot take over a session. */
const hash = (token) => createHash("sha256").update(token).digest();

/** A session store on a pool of node-postgres. `retry` is a key of REPAIRS. */
export function sessions(pool, retry = "repair") {
  const repair = REPAIRS[retry];
  if (!repair) throw new Error(`LOGIN_RETRY is "${retry}"; expected ${Object.keys(REPAIRS).join(" or ")}`);

  /** Creates a session, ends the user's older ones, and returns its token, in one transaction. */
  async function createSession(user) {
    const token = randomBytes(32).toString("hex");
    await transaction(pool, async (client) => {
      // Concurrent logins of one user wait for each other here, so that only one session remains.
      await client.query("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", [user]);
      const id = await insert(client, user, token);
      // After the insert: the repair must still see the user's newest id, so that it is not given out again.
      await client.query("DELETE FROM user_sessions WHERE user_id = $1 AND session_id <> $2", [user, id]);
    });
    return token;
  }

  /** Inserts a session. If its id is taken, repairs the sequence and retries. Throws every other error. */
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
        await client.query(repair).catch((refusal) => {
          error.cause = refusal;
          throw error;
        });
        console.error(`a session's id was taken; retrying after ${retry}`);
      }
    }
  }

  /** Returns the user of a live session and restarts its idle time; undefined if the session is not live. */
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

/** Runs `work` in a transaction. Discards the connection if the rollback fails. */
async function transaction(pool, work) {
  const client = await pool.connect();
  let broken;
  try {
    // Regardless of the default: each statement must see the changes of the previous login.
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
