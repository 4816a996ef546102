#!/usr/bin/env python3
"""Runs an unpacked image as a container engine would, with its configuration: its user, its environment, its entry point,
on a read-only root and without privileges. It makes a pass over a PostgreSQL server, and runs the agent and its health check.

    run-image.py ROOT BASE CONFIGURATION REVISION [LARGEST]

ROOT and BASE are the unpacked image and the unpacked base below it, CONFIGURATION is what `buildah inspect` prints,
REVISION is what the image was built from, and LARGEST is how many bytes it may add to its base. scripts/image-test runs it,
as root."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from pwd import getpwnam

VERSION = re.search(r'^version = "(.*)"', Path("Cargo.toml").read_text(), re.MULTILINE)[1]
ADDED = {
    "usr/local/bin/pgmedic",
    "usr/share/doc/pgmedic/LICENSE",
    "usr/share/doc/pgmedic/THIRD-PARTY.txt",
    "usr/share/doc/pgmedic/pgmedic.cdx.json",
}
# In a mount namespace that ends with the program: the root read-only, with /proc, as container engines mount it, also into
# an image that has no such folder.
ENTER = """
mkdir -p "$0/proc"
mount --bind "$0" "$0"
mount --rbind /proc "$0/proc"
mount -o remount,ro,bind "$0"
exec setpriv --no-new-privs chroot --userspec="$1" "$0" "$@"
""".replace('"$@"', '"${@:2}"')

root, base, configuration, revision, *largest = sys.argv[1:]
image = json.loads(Path(configuration).read_text())["Docker"]["config"]


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"run-image: {what}: found {found!r}, expected {expected!r}")
    print(f"  ok       {what}")


def inside(*program):
    """The command that runs a program of the image."""
    return ["unshare", "--mount", "--", "bash", "-ec", ENTER, root, image["User"], *program]


def environment(**variables):
    return {**dict(variable.split("=", 1) for variable in image["Env"]), **variables}


def run(*arguments, **variables):
    command = inside(*image["Entrypoint"], *arguments)
    return subprocess.run(command, env=environment(**variables), capture_output=True, text=True, timeout=60)


def files(folder):
    found = subprocess.run(["find", ".", "!", "-type", "d", "-printf", "%P\\n"], cwd=folder, capture_output=True, text=True)
    return set(found.stdout.splitlines())


def size(folder):
    return sum(path.lstat().st_size for path in Path(folder).rglob("*"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Server:
    """A temporary PostgreSQL server on the loopback address, which ends with the script."""

    def __init__(self):
        programs = [os.environ.get("PGMEDIC_PG_BIN") or "", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
        self.programs = Path(next(folder for folder in programs if os.access(f"{folder}/initdb", os.X_OK)))
        self.account = getpwnam("postgres")
        self.folder = tempfile.mkdtemp(prefix="pgmedic-image-")
        os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        options = f"-p {self.port} -k '' -c listen_addresses=127.0.0.1 -c fsync=off"
        self.call("initdb", "--username=postgres", "--auth=trust", "--no-sync")
        self.call("pg_ctl", "start", "--wait", "--silent", f"--log={self.folder}/log", f"--options={options}")

    def call(self, program, *arguments):
        command = [self.programs / program, f"--pgdata={self.folder}", *arguments]
        subprocess.run(command, user=self.account.pw_uid, group=self.account.pw_gid, cwd="/", stdout=subprocess.DEVNULL,
                       check=True)

    def sql(self, statements):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statements, self.url]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def stop(self):
        self.call("pg_ctl", "stop", "--mode=immediate", "--silent")
        shutil.rmtree(self.folder)


def status(process):
    """What the kernel says about a process: user, capabilities, and whether its root is read-only."""
    lines = dict(line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line)
    options = [line.split()[5].split(",") for line in Path(f"/proc/{process}/mountinfo").read_text().splitlines()
               if line.split()[4] == "/"]
    return {
        "users": set(lines["Uid"].split()),
        "capabilities": int(lines["CapEff"], 16) | int(lines["CapPrm"], 16),
        "no new privileges": lines["NoNewPrivs"],
        "read-only": bool(options) and "ro" in options[-1],
    }


def wait_for(what, condition):
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"run-image: {what}: not within a minute")
        time.sleep(0.1)
    print(f"  ok       {what}")


def check_contents():
    expect("what the image adds to its base", files(root) - files(base), ADDED)
    expect("there is no shell", [name for name in files(root) if re.fullmatch(r"(usr/)?bin/(ba|da)?sh|.*/busybox", name)], [])
    bill = json.loads(Path(root, "usr/share/doc/pgmedic/pgmedic.cdx.json").read_text())
    names = {component["name"] for component in bill["components"]}
    notices = Path(root, "usr/share/doc/pgmedic/THIRD-PARTY.txt").read_text()
    expect("the SBOM has what is linked", {"sqlx", "tokio", "rustls", "rust-std"} - names, set())
    expect("and nothing else", {"tempfile", "proptest", "pgmedic-testserver"} & names, set())
    expect("the notices name each crate of the SBOM", [
        component["name"] for component in bill["components"]
        if component.get("hashes") and f"\n{component['name']} {component['version']}: " not in notices], [])


def check_configuration():
    expect("user", image["User"], "65532:65532")
    expect("port", list(image["ExposedPorts"]), ["9847/tcp"])
    expect("health check", image["Healthcheck"]["Test"], ["CMD", "/usr/local/bin/pgmedic", "healthcheck"])
    expect("license", image["Labels"]["org.opencontainers.image.licenses"], "MIT")


def check_pass(server):
    version = run("--version")
    expect("--version", (version.returncode, version.stdout.split()[:2]), (0, ["pgmedic", VERSION]))
    if revision != "unknown":
        expect("the revision", revision[:12] in version.stdout, True)
    server.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7)")
    dry = run("--once", "--dry-run", DATABASE_URL=server.url)
    expect("a dry run finds the drift", (dry.returncode, "public.orders_id_seq" in dry.stdout), (3, True))
    done = run("--once", DATABASE_URL=server.url)
    expect("a pass repairs it", (done.returncode, server.sql("INSERT INTO orders DEFAULT VALUES RETURNING id")), (0, "8"))


def check_agent(server):
    listen = f"127.0.0.1:{free_port()}"
    variables = environment(DATABASE_URL=server.url, PGMEDIC_HTTP__LISTEN=listen)
    probe = inside(*image["Healthcheck"]["Test"][1:])

    def healthy():
        return subprocess.run(probe, env=variables, capture_output=True, timeout=30).returncode == 0

    expect("the health check of an agent that does not run", healthy(), False)
    agent = subprocess.Popen(inside(*image["Entrypoint"]), env=variables, stderr=subprocess.DEVNULL)
    try:
        wait_for("the health check of the agent", healthy)
        expect("how the agent runs", status(agent.pid), {
            "users": {"65532"}, "capabilities": 0, "no new privileges": "1", "read-only": True})
        server.sql("INSERT INTO orders VALUES (50); NOTIFY pgmedic")
        position = "SELECT last_value >= 50 FROM orders_id_seq"
        wait_for("the agent repairs", lambda: server.sql(position) == "t")
        agent.send_signal(signal.SIGTERM)
        expect("the agent stops on SIGTERM", agent.wait(timeout=30), 0)
    finally:
        agent.kill()


check_contents()
check_configuration()
server = Server()
try:
    check_pass(server)
    check_agent(server)
finally:
    server.stop()
whole, below = size(root), size(base)
print(f"image: {whole / 1e6:.1f} MB, of which {below / 1e6:.1f} MB are the base")
for limit in map(int, largest):
    expect(f"it adds at most {limit / 1e6:.0f} MB", whole - below <= limit, True)
