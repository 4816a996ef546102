#!/usr/bin/env python3
"""Checks what scripts/third-party writes: the SBOM against the schema of CycloneDX, its crates and dependencies against
what cargo resolves, and that the notices name each crate. scripts/check-deploy runs it.

    check-sbom.py FOLDER    a folder that scripts/third-party wrote, with the default features and this machine's target"""

import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

# Some crates hold no text of their license, and the standard library's is where the toolchain has it.
FEWEST_TEXTS = 100

folder = Path(sys.argv[1])
text = (folder / "pgmedic.cdx.json").read_text()
notices = (folder / "THIRD-PARTY.txt").read_text()
problems = []


def expect(what, found, expected):
    if found != expected:
        problems.append(f"{what}: found {found!r}, expected {expected!r}")


def cargo():
    host = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    target = next(line.split()[1] for line in host.splitlines() if line.startswith("host: "))
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def resolved(metadata):
    """Each crate that normal dependencies lead to, with its normal dependencies, by reference. It has more than the binary,
    because cargo counts here the features that only tests use."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    found, waiting = {}, [next(id for id, package in packages.items() if package["name"] == "pgmedic")]
    while waiting:
        id = waiting.pop()
        found[id] = [dependency["pkg"] for dependency in nodes[id]["deps"]
                     if any(kind["kind"] is None for kind in dependency["dep_kinds"])]
        waiting.extend(needed for needed in found[id] if needed not in found)

    def reference(id):
        return f"pkg:cargo/{packages[id]['name']}@{packages[id]['version']}"

    return {reference(id): {reference(needed) for needed in ids} for id, ids in found.items()}


error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
expect("the schema of CycloneDX", error, None)
bill = json.loads(text)
crates = resolved(cargo())
root = bill["metadata"]["component"]["bom-ref"]
listed = {component["bom-ref"] for component in bill["components"]}
dependencies = {entry["ref"]: set(entry["dependsOn"]) for entry in bill["dependencies"]}
expect("crates that cargo does not know", listed - crates.keys(), {"rust-std"})
expect("direct dependencies that are missing", crates[root] - listed, set())
expect("listed without being needed", listed - set().union(*dependencies.values()), {"rust-std"})
expect("dependencies of the binary", dependencies[root], crates[root])
for reference, needed in dependencies.items():
    expect(f"dependencies of {reference} that are not listed", needed - listed, set())
    expect(f"dependencies of {reference} that cargo does not know", needed - crates[reference], set())
for component in bill["components"]:
    name = f"{component['name']} {component['version']}"
    foreign = not component["name"].startswith(("pgmedic-", "rust-std"))
    if foreign:
        expect(f"checksum of {name}", [found["alg"] for found in component.get("hashes", [])], ["SHA-256"])
        expect(f"{name} in the notices", f"\n{name}: " in notices, True)
    expect(f"license of {name}", bool(component.get("licenses")), True)
expect("texts of licenses, at least", notices.count("\n" + "-" * 80 + "\n") >= FEWEST_TEXTS, True)

print("\n".join(problems))
sys.exit(1 if problems else 0)
