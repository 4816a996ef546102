#!/bin/sh
# Generates each password into a file that only its user can read. Runs as root in a separate container (compose.yml).
set -eu
folder=${1:-/secrets}
umask 377

password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

# Keep existing passwords: the server was created with them.
if [ -e "$folder/complete" ]; then exit 0; fi
rm -f "$folder"/*

password >"$folder/postgres.password"
password >"$folder/pgmedic.password"
password >"$folder/grafana.password"
printf 'postgres://pgmedic:%s@postgres/app\n' "$(cat "$folder/pgmedic.password")" >"$folder/pgmedic.url"

# The user ids of the images: postgres, pgmedic, Grafana.
chown 999:999 "$folder/postgres.password" "$folder/pgmedic.password"
chown 65532:65532 "$folder/pgmedic.url"
chown 472:0 "$folder/grafana.password"
: >"$folder/complete"
