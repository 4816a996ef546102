#!/usr/bin/env bash
# Downloads a release of pgmedic, compares its checksum and adds it to the PATH of the following steps; does nothing where
# pgmedic is installed.
set -euo pipefail

if command -v pgmedic >/dev/null; then
    pgmedic --version
    exit
fi
version=${VERSION:-${ACTION_REF#v}}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || {
    echo "install.sh: found version \"$version\", expected one such as 0.1.0: set the input version" >&2
    exit 2
}
case $(uname -m) in
x86_64) target=x86_64-unknown-linux-musl ;;
aarch64) target=aarch64-unknown-linux-gnu ;;
*)
    echo "install.sh: there is no binary for $(uname -m): install pgmedic before this step" >&2
    exit 2
    ;;
esac
folder=${RUNNER_TEMP:-/tmp}/pgmedic-$version
archive=pgmedic-$version-$target.tar.gz
release=${GITHUB_SERVER_URL:-https://github.com}/$ACTION_REPOSITORY/releases/download/v$version
mkdir -p "$folder"
cd "$folder"
curl -fsSL --retry 3 -O "$release/$archive" -O "$release/SHA256SUMS"
grep -F "  $archive" SHA256SUMS | sha256sum --check --strict
tar xzf "$archive" --strip-components=1
echo "$folder" >>"$GITHUB_PATH"
./pgmedic --version
