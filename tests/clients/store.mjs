// Runs the client library of a session store:
//
//   node store.mjs STORE URL make            creates sessions; prints {"live": [keys], "expired": [keys]}
//   node store.mjs STORE URL find KEY …      prints the keys that the client finds
import { webcrypto } from "node:crypto";
import pg from "pg";

// Node.js 18 has it, but not as a global.
globalThis.crypto ??= webcrypto;

const HOUR = 3600_000;
/** Expiry times of the sessions, in milliseconds from now. */
const LIVE = [10 / 60, 0.5, 3, 14, 24 * 7].map((hours) => hours * HOUR);
const EXPIRED = [-10 / 60, -0.5, -3, -14, -24 * 7].map((hours) => hours * HOUR);

const [store, url, command, ...keys] = process.argv.slice(2);
const place = new URL(url.replace("///", "//local/"));
const connection = {
  host: place.searchParams.get("host"),
  port: Number(place.searchParams.get("port")),
  user: place.searchParams.get("user"),
  database: place.pathname.slice(1),
  // Like a server whose TimeZone is the local one.
  options: `-c TimeZone=${process.env.TZ}`,
};
const pool = new pg.Pool(connection);

/** A store of express-session, whose `maxAge` may be negative. */
function expressStore(own) {
  const call = (method, ...rest) =>
    new Promise((resolve, reject) =>
      own[method](...rest, (error, found) => (error ? reject(error) : resolve(found))),
    );
  return {
    async make(ends) {
      const key = crypto.randomUUID();
      const cookie = { expires: new Date(ends), maxAge: ends - Date.now(), originalMaxAge: HOUR, path: "/" };
      await call("set", key, { cookie });
      return key;
    },
    find: (key) => call("get", key),
  };
}

/** The store of express-session. */
async function connectPgSimple() {
  const { default: session } = await import("express-session");
  const { default: connect } = await import("connect-pg-simple");
  const Store = connect(session);
  const own = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
  return expressStore(own);
}

/** A store of express-session, which creates its table. */
async function connectSessionKnex() {
  const { default: knex } = await import("knex");
  const { ConnectSessionKnexStore } = await import("connect-session-knex");
  const own = new ConnectSessionKnexStore({ knex: knex({ client: "pg", connection }), cleanupInterval: 0 });
  return expressStore(own);
}

/** A store of express-session, which creates its table. */
async function connectSessionSequelize() {
  const { default: session } = await import("express-session");
  const { default: connect } = await import("connect-session-sequelize");
  const { Sequelize } = await import("sequelize");
  const { user: username, options, ...rest } = connection;
  const db = new Sequelize({ dialect: "postgres", username, ...rest, dialectOptions: { options }, logging: false });
  const Store = connect(session.Store);
  const own = new Store({ db, checkExpirationInterval: -1 });
  await own.sync();
  return expressStore(own);
}

/** Auth.js with Drizzle, with the tables of its documentation. */
async function authJsDrizzle() {
  const { drizzle } = await import("drizzle-orm/node-postgres");
  const { DrizzleAdapter } = await import("@auth/drizzle-adapter");
  return authJsStore(DrizzleAdapter(drizzle(pool)));
}

/** Auth.js, with the tables of its documentation. */
async function authJs() {
  const { default: adapter } = await import("@auth/pg-adapter");
  return authJsStore(adapter(pool));
}

function authJsStore(own) {
  return {
    async make(ends) {
      const given = { id: crypto.randomUUID(), name: "a", email: crypto.randomUUID(), emailVerified: null };
      const user = await own.createUser(given);
      const sessionToken = crypto.randomUUID();
      await own.createSession({ sessionToken, userId: user.id, expires: new Date(ends) });
      return sessionToken;
    },
    find: (key) => own.getSessionAndUser(key),
  };
}

/** better-auth, which creates its tables. */
async function betterAuth() {
  const { betterAuth } = await import("better-auth");
  const { getMigrations } = await import("better-auth/db/migration");
  const options = {
    database: pool,
    secret: "a secret that only this test uses",
    baseURL: "http://localhost",
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
  };
  await (await getMigrations(options)).runMigrations();
  const own = (await betterAuth(options).$context).internalAdapter;
  return {
    async make(ends) {
      const user = await own.createUser({ name: "a", email: `${crypto.randomUUID()}@localhost`, emailVerified: false });
      const made = await own.createSession(user.id, false, { expiresAt: new Date(ends) }, true);
      return made.token;
    },
    find: (key) => own.findSession(key),
  };
}

const stores = {
  "connect-pg-simple": connectPgSimple,
  "connect-session-knex": connectSessionKnex,
  "connect-session-sequelize": connectSessionSequelize,
  "auth.js": authJs,
  "auth.js-drizzle": authJsDrizzle,
  "better-auth": betterAuth,
};
const client = await stores[store]();
if (command === "make") {
  const all = async (ends) => {
    const made = [];
    for (const end of ends) made.push(await client.make(Date.now() + end));
    return made;
  };
  console.log(JSON.stringify({ live: await all(LIVE), expired: await all(EXPIRED) }));
} else {
  const found = [];
  for (const key of keys) if (await client.find(key)) found.push(key);
  console.log(JSON.stringify(found));
}
await pool.end();
process.exit(0);
