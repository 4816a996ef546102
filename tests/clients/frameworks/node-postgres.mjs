// The logins through node-postgres, half of them inside a transaction.
import pg from "pg";
import { RepairingClient } from "./hook.js";
import { LOGINS, database, host, port, run, user } from "./logins.mjs";

const pool = new pg.Pool({ host, port, database, user, max: LOGINS, Client: RepairingClient });
const INSERT = "INSERT INTO user_sessions (user_id) VALUES ($1)";

async function transaction(statements) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await statements(client);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

await run({
  connections: () => pool.query("SELECT pg_sleep(0.1)"),
  logIn: (number) =>
    number % 2
      ? transaction((client) => client.query({ text: INSERT, values: [number] }))
      : pool.query(INSERT, [number]),
  logInTogether: (users) =>
    transaction((client) => Promise.all(users.map((number) => client.query(INSERT, [number])))),
  insertTaken: (id) => transaction((client) => client.query("INSERT INTO user_sessions VALUES ($1, 1)", [id])),
  constraintOf: (error) => error.constraint,
  close: () => pool.end(),
});
