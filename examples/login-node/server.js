// A web server whose logins succeed although the sequence is behind: node-postgres, and pgmedic.repair in the database.
//
//   npm ci
//   psql -f ../login-server/users.sql -f ../../docs/migrations/user_sessions.sql "$DATABASE_URL"
//   pgmedic sql install | psql -X -v ON_ERROR_STOP=1 "$DATABASE_URL"
//   node server.js add-user ada     # reads the password from stdin
//   node server.js
//   curl -i -d '{"name":"ada","password":"…"}' http://127.0.0.1:8080/login
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import pg from "pg";
import { IDLE, sessions } from "./sessions.js";

if (!process.env.DATABASE_URL) throw new Error("set DATABASE_URL to the database of the users");
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
// The pool replaces an idle connection that breaks. Without this handler, the error would end the process.
pool.on("error", (error) => console.error(`an idle connection broke: ${error.message}`));

/** A slow password hash, stored with its cost and salt: `scrypt$N$salt$hash`. */
const COST = 2 ** 15;
const derive = (password, salt, N) => promisify(scrypt)(password, salt, 32, { N, maxmem: 256 * N * 8 });

async function hashPassword(password) {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, COST);
  return `scrypt$${COST}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

async function matches(password, stored) {
  const [, cost, salt, hash] = stored.split("$");
  const derived = await derive(password, Buffer.from(salt, "base64"), Number(cost));
  return timingSafeEqual(derived, Buffer.from(hash, "base64"));
}

/** A hash that matches no password: an unknown name must take as long as a wrong password. */
const DUMMY_HASH = `scrypt$${COST}$ZHVtbXk=$${Buffer.alloc(32).toString("base64")}`;

/** `__Host-`: for this host and over TLS only. HttpOnly: hidden from scripts. SameSite: not sent with other sites' forms. */
const NAME = "__Host-session";
const cookie = (value, age) => ({
  "Set-Cookie": `${NAME}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${age}`,
});

function token(request) {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.find(([name]) => name === NAME)?.[1];
}

const store = sessions(pool, process.env.LOGIN_RETRY);

const routes = {
  async "POST /login"(request) {
    const { name, password } = credentials(await text(request));
    if (name === undefined) return [400, {}, 'expected {"name": "…", "password": "…"}\n'];
    const { rows } = await pool.query("SELECT id, password FROM users WHERE name = $1", [name]);
    const right = await matches(password, rows[0]?.password ?? DUMMY_HASH);
    if (!right || !rows[0]) return [401, {}, "wrong name or password\n"];
    return [204, cookie(await store.createSession(rows[0].id), IDLE)];
  },

  async "POST /logout"(request) {
    const secret = token(request);
    if (secret) await store.revoke(secret);
    return [204, cookie("", 0)];
  },

  async "GET /me"(request) {
    const secret = token(request);
    const user = secret && (await store.touch(secret));
    if (!user) return [401, {}, "please log in\n"];
    return [200, { "Content-Type": "application/json" }, JSON.stringify({ user })];
  },
};

function credentials(body) {
  try {
    const { name, password } = JSON.parse(body);
    if (typeof name === "string" && typeof password === "string") return { name, password };
  } catch {
    // The caller responds with status 400.
  }
  return {};
}

async function answer(request, response) {
  try {
    const route = routes[`${request.method} ${request.url}`];
    const [status, headers, body] = route ? await route(request) : [404, {}, "not found\n"];
    response.writeHead(status, headers).end(body);
  } catch (error) {
    // Details go to the log, not to the client.
    console.error(`a request failed: ${error.message}`);
    response.writeHead(500).end("internal error\n");
  }
}

const [command, name, ...rest] = process.argv.slice(2);
if (command === "add-user" && name && rest.length === 0) {
  const password = (await text(process.stdin)).replace(/\n$/, "");
  const hash = await hashPassword(password);
  await pool.query("INSERT INTO users (name, password) VALUES ($1, $2)", [name, hash]);
  await pool.end();
} else if (command === undefined) {
  const [host, port] = (process.env.LISTEN ?? "127.0.0.1:8080").split(":");
  const server = createServer(answer).listen(Number(port), host, () => {
    console.log(`listening on http://${host}:${server.address().port}`);
  });
} else {
  console.error("usage: node server.js [add-user NAME]");
  process.exit(2);
}
