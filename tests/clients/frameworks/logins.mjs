// Fifty logins at once through a framework for Node.js. Prints how many failed, and one more if a taken id that the
// application chose does not fail as the framework's document says.
export const [host, port, database, user] = process.argv.slice(2);
export const LOGINS = 50;

/**
 * `logIn(user)` inserts a session, `logInTogether(users)` several at once in one transaction, `insertTaken(id)` one
 * with this id, inside a transaction; `constraintOf(error)` is where the document says that the constraint is.
 */
export async function run({ connections, logIn, logInTogether, insertTaken, constraintOf, close }) {
  await Promise.all(Array.from({ length: LOGINS }, connections));
  const singles = Array.from({ length: LOGINS - 5 }, (_, number) => logIn(number));
  const together = logInTogether(Array.from({ length: 5 }, (_, number) => LOGINS - 5 + number));
  const logins = await Promise.allSettled([...singles, together]);
  const failed = logins.filter((login) => login.status === "rejected");
  for (const login of failed) console.error(login.reason);
  const error = await insertTaken(2).then(() => "inserted", (error) => error);
  const isAsDocumented = constraintOf(error) === "user_sessions_pkey";
  for (let reason = error; reason; reason = reason.cause ?? reason.parent ?? reason.driverError) console.error(reason.message);
  if (!isAsDocumented) console.error("a taken id:", error);
  console.log(failed.length + (isAsDocumented ? 0 : 1));
  await close();
}
