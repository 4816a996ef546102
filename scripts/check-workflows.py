#!/usr/bin/env python3
"""Checks that workflows, actions and issue forms say what they must, and name only files and targets that exist.
scripts/check-deploy runs it beside a linter of workflows."""

import json
import re
import sys
from pathlib import Path

import yaml

problems = []
makefile = Path("Makefile").read_text()


def expect(path, condition, what):
    if not condition:
        problems.append(f"{path}: expected {what}")


def load(path):
    return yaml.safe_load(Path(path).read_text())


for path in sorted(Path(".github/workflows").glob("*.yml")):
    workflow = load(path)
    expect(path, workflow.get("permissions") == {"contents": "read"}, "`permissions: {contents: read}` at the top")
    for name, job in workflow["jobs"].items():
        expect(path, job.get("timeout-minutes"), f"timeout-minutes of {name}")
        for step in job["steps"]:
            run = step.get("run", "")
            for target in re.findall(r"\bmake ([a-z-]+)", run):
                expect(path, f"\n{target}:" in makefile, f"a target {target} in the Makefile")
            for script in re.findall(r"(?:scripts|\.ci)/[a-z-]+", run):
                expect(path, Path(script).is_file(), f"the file {script}")
            if step.get("uses", "").startswith("actions/checkout@"):
                expect(path, step.get("with", {}).get("persist-credentials") is False, "persist-credentials: false")

path = Path("deploy/gate/action.yml")
action = load(path)
expect(path, action["name"] and action["description"] and action["runs"]["using"] == "composite", "a composite action")
for name, given in action["inputs"].items():
    expect(path, given.get("description") and (given.get("required") or "default" in given), f"a default of {name}")
ids = {step.get("id") for step in action["runs"]["steps"]}
for name, given in action["outputs"].items():
    expect(path, re.search(r"steps\.([\w-]+)\.", given["value"])[1] in ids, f"a step for the output {name}")
for step in action["runs"]["steps"]:
    expect(path, step["shell"] == "bash", "`shell: bash` in each step")
    # An input within a script would be run as a part of it.
    expect(path, "${{" not in step["run"], "inputs as variables of `env`, not in `run`")
    for script in re.findall(r"[\w-]+\.sh", step["run"]):
        expect(path, (path.parent / script).is_file(), f"the file {script}")
    for name in re.findall(r"inputs\.([\w-]+)", json.dumps(step.get("env", {}))):
        expect(path, name in action["inputs"], f"an input {name}")

path = Path("deploy/gate/gitlab.yml")
expect(path, load(path)[".pgmedic-gate"]["script"], "a job .pgmedic-gate with a script")

for path in sorted(Path(".github/ISSUE_TEMPLATE").glob("*.yml")):
    form = load(path)
    if path.name == "config.yml":
        continue
    expect(path, form["name"] and form["description"] and form["body"], "a name, a description and a body")
    for field in form["body"]:
        attributes = field["attributes"]
        valid = attributes.get("value") if field["type"] == "markdown" else field.get("id") and attributes.get("label")
        expect(path, field["type"] in ("markdown", "textarea", "input") and valid, f"a valid {field['type']}")

print("\n".join(problems))
sys.exit(1 if problems else 0)
