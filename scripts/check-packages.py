#!/usr/bin/env python3
"""Checks what the packages install, without building one: the metadata of cargo-deb and cargo-generate-rpm in Cargo.toml,
the unit, the configuration, and what `cargo package` would publish.

    check-packages.py                     all of this
    check-packages.py --unit              prints the unit as the packages install it
    check-packages.py --configuration     prints /etc/pgmedic/pgmedic.toml as the packages install it
    check-packages.py --contents FOLDER   checks a package that was unpacked into this folder
"""

import io
import json
import re
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CRATES = ["pgmedic-core", "pgmedic-testserver", "pgmedic-login", "pgmedic"]
# Packed, as cargo publishes it. The code alone is most of it.
LARGEST_CRATE = 600_000
# What scripts/package makes.
MADE = re.compile(r"target/(release/pgmedic|package/(pgmedic\.service|pgmedic\.toml|pgmedic\.cdx\.json|"
                  r"THIRD-PARTY\.txt|man/\*\.1|completions/(pgmedic\.bash|_pgmedic|pgmedic\.fish)))")
# What both packages install.
INSTALLED = {
    "usr/bin/pgmedic": "755",
    "usr/lib/systemd/system/pgmedic.service": "644",
    "etc/pgmedic/pgmedic.toml": "644",
    "usr/share/doc/pgmedic/examples/example.toml": "644",
    "usr/share/doc/pgmedic/pgmedic.cdx.json": "644",
    "usr/share/man/man1/": "644",
    "usr/share/bash-completion/completions/pgmedic": "644",
    "usr/share/fish/vendor_completions.d/pgmedic.fish": "644",
}

problems = []


def expect(what, found, expected):
    if found != expected:
        problems.append(f"{what}: found {found!r}, expected {expected!r}")


def unit():
    """The unit of deploy/systemd with the program where a package puts it, and without how to install it by hand."""
    text = (ROOT / "deploy/systemd/pgmedic.service").read_text()
    text = text[text.index("[Unit]"):]
    text = text.replace("/usr/local/bin/pgmedic", "/usr/bin/pgmedic")
    return text.replace("\n[Service]\n", "\n[Service]\nEnvironment=PGMEDIC_CONFIG=/etc/pgmedic/pgmedic.toml\n")


def configuration():
    return (
        "# Restart pgmedic after a change of the URL, reload it after a change of this file.\n"
        "# /usr/share/doc/pgmedic/examples/pgmedic.toml lists every key with its default.\n"
        "# The database is named by /etc/pgmedic/app.url, a file with its connection URL that only root can read:\n"
        "#   install -m 600 /dev/stdin /etc/pgmedic/app.url      (type the URL, then Ctrl-D)\n"
        "#   systemctl enable --now pgmedic\n"
    )


def installed(assets):
    """The file or folder that each asset becomes, with its mode."""
    found = {}
    for source, target, mode in assets:
        target = target.lstrip("/")
        if target.endswith("/") and "*" not in source:
            target += Path(source).name
        if source.startswith("target/"):
            expect(f"{source}, made by scripts/package", bool(MADE.fullmatch(source)), True)
        else:
            expect(f"{source} exists", (ROOT / source).is_file(), True)
        expect(f"{target} is named once", target in found, False)
        found[target] = mode
    return found


def check_metadata():
    metadata = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]
    deb = installed(metadata["deb"]["assets"])
    rpm = metadata["generate-rpm"]["assets"]
    folders = {asset["dest"] for asset in rpm if asset.get("dir")}
    files = [asset for asset in rpm if not asset.get("dir")]
    # The .rpm removes only the folders that it names.
    parents = {str(Path(asset["dest"]).parent) for asset in files}
    expect("folders of the rpm", folders, {parent for parent in parents if "/pgmedic" in parent})
    rpm = installed([(asset["source"], asset["dest"], asset["mode"]) for asset in files])
    for what, files in (("deb", deb), ("rpm", rpm)):
        for name, mode in INSTALLED.items():
            expect(f"{name} of the {what}", files.get(name), mode)
    expect("deb: what is kept at an upgrade", metadata["deb"]["conf-files"], ["/etc/pgmedic/pgmedic.toml"])
    kept = [asset["dest"] for asset in metadata["generate-rpm"]["assets"] if asset.get("config") == "noreplace"]
    expect("rpm: what is kept at an upgrade", kept, ["/etc/pgmedic/pgmedic.toml"])
    scripts = [metadata["generate-rpm"][f"{when}_script"] for when in ("post_install", "pre_uninstall", "post_uninstall")]
    for script in [*scripts, *(metadata["deb"]["maintainer-scripts"] + name for name in ("postinst", "prerm", "postrm"))]:
        expect(f"{script} is valid", subprocess.run(["sh", "-n", ROOT / script]).returncode, 0)
    for line in ("ExecStart=/usr/bin/pgmedic", "Environment=PGMEDIC_CONFIG=/etc/pgmedic/pgmedic.toml"):
        expect(f"{line} in the unit", line in unit().splitlines(), True)
    # Debian 11 has systemd 247.
    settings = [line for line in unit().splitlines() if not line.startswith("#")]
    newer = [line for line in settings if re.search(r"%d|LoadCredentialEncrypted|ImportCredential|SetCredential", line)]
    expect("settings that need a systemd newer than 247", newer, [])
    expect("the configuration is TOML", tomllib.loads(configuration()), {})


def check_crates():
    """What cargo would publish: only what builds, and little of it."""
    described = json.loads(cargo("metadata", "--no-deps", "--format-version", "1"))
    for package in described["packages"]:
        name = package["name"]
        for key in ("description", "license", "documentation", "keywords", "categories", "rust_version"):
            expect(f"{key} of {name} is stated", bool(package[key]), True)
    for crate in CRATES:
        folder = ROOT if crate == "pgmedic" else ROOT / "crates" / crate
        listed = cargo("package", "--list", "--allow-dirty", "-p", crate).splitlines()
        # Written by cargo itself.
        files = [name for name in listed if (folder / name).is_file() and name != "Cargo.toml.orig"]
        others = [name for name in files if not re.match(r"(src|config|docs/(?:migrations|runbooks))/|[^/]+$", name)]
        expect(f"files of {crate} that do not build it", others, [])
        for include in re.findall(r'include_str!\("(?:\.\./)+((?:config|docs)/[^"]+)"', sources(folder, files)):
            expect(f"{include} of {crate}", include in files, True)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for name in files:
                tar.add(folder / name, name)
        size = len(archive.getvalue())
        if size > LARGEST_CRATE:
            problems.append(f"{crate}: {size} bytes packed, expected at most {LARGEST_CRATE}")


def sources(folder, files):
    # What documents include is for the documentation's tests only.
    text = "".join((folder / name).read_text() for name in files if name.endswith(".rs"))
    return re.sub(r"#!?\[doc = [^\n]*", "", text)


def cargo(*arguments):
    done = subprocess.run(["cargo", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"cargo {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def check_contents(folder):
    for name in INSTALLED:
        there = list((folder / name).glob("pgmedic*.1*")) if name.endswith("/") else (folder / name).is_file()
        expect(f"{name} in the package", bool(there), True)
    # A message of a panic names the file of the crate that it is in.
    bill = json.loads((folder / "usr/share/doc/pgmedic/pgmedic.cdx.json").read_text())
    listed = {f"{component['name']}-{component['version']}" for component in bill["components"]}
    linked = re.findall(rb"/registry/src/[^/]+/([^/]+)/", (folder / "usr/bin/pgmedic").read_bytes())
    expect("crates in the binary, at least", len(set(linked)) > 20, True)
    expect("crates in the binary that the SBOM does not list", {name.decode() for name in linked} - listed, set())
    # What the .deb requires is found by cargo-deb, and what the .rpm requires is stated.
    needed = re.findall(rb"GLIBC_2\.(\d+)", (folder / "usr/bin/pgmedic").read_bytes())
    stated = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]["metadata"]["generate-rpm"]["requires"]["glibc"]
    expect("glibc that the .rpm requires", stated, f">= 2.{max(map(int, needed))}")
    notices = [*folder.glob("usr/share/*/pgmedic/THIRD-PARTY.txt"), *folder.glob("usr/share/*/pgmedic/THIRD-PARTY.txt.gz")]
    expect("notices in the package", len(notices), 1)
    expect("the unit", (folder / "usr/lib/systemd/system/pgmedic.service").read_text(), unit())


match sys.argv[1:]:
    case ["--unit"]:
        print(unit(), end="")
    case ["--configuration"]:
        print(configuration(), end="")
    case ["--contents", folder]:
        check_contents(Path(folder))
    case []:
        check_metadata()
        check_crates()
    case _:
        sys.exit("check-packages: expected --unit, --configuration, --contents FOLDER, or nothing")
if problems:
    print("\n".join(problems))
    sys.exit(1)
