// Fifty logins at once through node-postgres, half of them inside a transaction. Prints how many failed.
import pg from "pg";
import { insert, insertInTransaction } from "./login-hook.mjs";

const [host, port, database, user] = process.argv.slice(2);
const LOGINS = 50;
const pool = new pg.Pool({ host, port, database, user, max: LOGINS });
const INSERT = "INSERT INTO user_sessions (user_id) VALUES ($1)";

async function logIn(number) {
  if (number % 2 === 0) return insert(pool, INSERT, [number]);
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await insertInTransaction(client, INSERT, [number]);
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}

await Promise.all(Array.from({ length: LOGINS }, () => pool.query("SELECT pg_sleep(0.1)")));
const logins = await Promise.allSettled(Array.from({ length: LOGINS }, (_, number) => logIn(number)));
const failed = logins.filter((login) => login.status === "rejected");
for (const login of failed) console.error(login.reason);
console.log(failed.length);
await pool.end();
