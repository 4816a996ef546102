// The logins through Drizzle, half of them inside a transaction.
import { sql } from "drizzle-orm";
import { integer, pgTable, serial } from "drizzle-orm/pg-core";
import { connect } from "./hook.js";
import { LOGINS, database, host, port, run, user } from "./logins.mjs";

const sessions = pgTable("user_sessions", { sessionId: serial("session_id").primaryKey(), userId: integer("user_id") });
const db = connect({ host, port, database, user, max: LOGINS });
const insert = (at, userId) => at.insert(sessions).values({ userId }).returning();

await run({
  connections: () => db.execute(sql`SELECT pg_sleep(0.1)`),
  logIn: (number) => (number % 2 ? db.transaction((tx) => insert(tx, number)) : insert(db, number)),
  logInTogether: (users) => db.transaction((tx) => Promise.all(users.map((number) => insert(tx, number)))),
  insertTaken: (sessionId) => db.transaction((tx) => tx.insert(sessions).values({ sessionId, userId: 1 })),
  constraintOf: (error) => error.cause?.constraint,
  close: () => db.$client.end(),
});
