// The logins through Sequelize, half of them inside a transaction.
import { DataTypes } from "sequelize";
import { connect } from "./hook.js";
import { LOGINS, database, host, port, run, user } from "./logins.mjs";

const sequelize = connect({ host, port, database, username: user, logging: false, pool: { max: LOGINS } });
const Session = sequelize.define(
  "UserSession",
  {
    sessionId: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true, field: "session_id" },
    userId: { type: DataTypes.INTEGER, field: "user_id" },
  },
  { tableName: "user_sessions", timestamps: false },
);

await run({
  connections: () => sequelize.query("SELECT pg_sleep(0.1)"),
  logIn: (userId) =>
    userId % 2
      ? sequelize.transaction((transaction) => Session.create({ userId }, { transaction }))
      : Session.create({ userId }),
  logInTogether: (users) =>
    sequelize.transaction((transaction) =>
      Promise.all(users.map((userId) => Session.create({ userId }, { transaction }))),
    ),
  insertTaken: (sessionId) =>
    sequelize.transaction((transaction) => Session.create({ sessionId, userId: 1 }, { transaction })),
  constraintOf: (error) => error.parent?.constraint,
  close: () => sequelize.close(),
});
