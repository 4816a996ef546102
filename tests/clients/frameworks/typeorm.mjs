// The logins through TypeORM, half of them inside a transaction.
import { EntitySchema } from "typeorm";
import { connect } from "./hook.js";
import { LOGINS, database, host, port, run, user } from "./logins.mjs";

const Session = new EntitySchema({
  name: "UserSession",
  tableName: "user_sessions",
  columns: {
    sessionId: { type: Number, primary: true, generated: true, name: "session_id" },
    userId: { type: Number, name: "user_id" },
  },
});
const settings = { host, port: Number(port), database, username: user, entities: [Session] };
const source = await connect({ ...settings, extra: { max: LOGINS } });
// With `save` of a single object, each login is in a separate transaction.
const save = (manager, userId) => manager.getRepository(Session).save({ userId });

await run({
  connections: () => source.query("SELECT pg_sleep(0.1)"),
  logIn: (userId) =>
    userId % 2 ? save(source.manager, userId) : source.getRepository(Session).insert({ userId }),
  logInTogether: (users) =>
    source.transaction((manager) => Promise.all(users.map((userId) => save(manager, userId)))),
  insertTaken: (sessionId) =>
    source.transaction((manager) => manager.query("INSERT INTO user_sessions VALUES ($1, 1)", [sessionId])),
  constraintOf: (error) => error.driverError?.constraint,
  close: () => source.destroy(),
});
