"""Checks the alerts in dashboards/prometheus/rules.yml: each has a severity, annotations, a runbook, a test in which it
fires, and a test in which it does not."""

import re
import sys
from pathlib import Path

import yaml

RULES = Path("dashboards/prometheus/rules.yml")
TESTS = Path("dashboards/prometheus/tests")
RUNBOOKS = Path("docs/runbooks")
MONITORING = Path("docs/monitoring.md")
SEVERITIES = {"critical", "warning"}
ANNOTATIONS = {"summary", "description", "runbook_url"}
SECTIONS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
# Lines, the title included: about two screens.
LONGEST_RUNBOOK = 60

problems = []


def problem(where, what):
    problems.append(f"{where}: {what}")


def rules():
    """Each alert by its name."""
    found = {}
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            if rule["alert"] in found:
                problem(RULES, f"{rule['alert']} is defined twice")
            found[rule["alert"]] = rule
    return found


def check_alert(name, rule):
    where = f"{RULES}, {name}"
    if set(rule.get("labels", {})) != {"severity"} or rule["labels"]["severity"] not in SEVERITIES:
        problem(where, f"expected one label, severity, of {', '.join(sorted(SEVERITIES))}")
    if set(rule.get("annotations", {})) != ANNOTATIONS:
        problem(where, f"expected the annotations {', '.join(sorted(ANNOTATIONS))}")
        return
    expected = str(RUNBOOKS / f"{name}.md")
    if rule["annotations"]["runbook_url"] != expected:
        problem(where, f"runbook_url: found {rule['annotations']['runbook_url']}, expected {expected}")
    # A failed scrape would restart `for`, so every metric of pgmedic must be read over a range or in a subquery.
    for metric in re.finditer(r"\bpgmedic_\w+(\{[^}]*\})?\)*(\[)?", rule["expr"]):
        if not metric[2]:
            problem(where, f"{metric[0].strip()} is an instant vector: wrap it in …_over_time")


def check_runbook(path, alerts):
    lines = path.read_text().splitlines()
    if path.stem not in alerts:
        problem(path, "no alert has this name")
    if lines[0] != f"# {path.stem}":
        problem(path, f"expected the title # {path.stem}")
    sections = [line[3:] for line in lines if line.startswith("## ")]
    if sections != SECTIONS:
        problem(path, f"found the sections {', '.join(sections)}, expected {', '.join(SECTIONS)}")
    if len(lines) > LONGEST_RUNBOOK:
        problem(path, f"{len(lines)} lines, expected at most {LONGEST_RUNBOOK}")


def check_tests(alerts):
    firing, silent = set(), set()
    for path in sorted(TESTS.glob("*.yml")):
        for group in yaml.safe_load(path.read_text())["tests"]:
            for case in group.get("alert_rule_test", []):
                name = case["alertname"]
                if name not in alerts:
                    problem(path, f"there is no alert {name}: this case would always pass")
                (firing if case.get("exp_alerts") else silent).add(name)
    for name in alerts:
        if name not in firing:
            problem(TESTS, f"no case in which {name} fires")
        if name not in silent:
            problem(TESTS, f"no case in which {name} does not fire")


def check_monitoring(alerts):
    """docs/monitoring.md lists every alert with its severity and runbook."""
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| (\w+) \|", MONITORING.read_text(), re.MULTILINE)
    documented = {name: severity for name, _, severity in rows}
    for name, file, _ in rows:
        if name != file:
            problem(MONITORING, f"{name} links to the runbook {file}")
    for name in sorted(set(alerts) | set(documented)):
        found, expected = documented.get(name), alerts.get(name, {}).get("labels", {}).get("severity")
        if found != expected:
            problem(MONITORING, f"{name}: found severity {found}, expected {expected}")


alerts = rules()
for name, rule in alerts.items():
    check_alert(name, rule)
    if not (RUNBOOKS / f"{name}.md").exists():
        problem(RUNBOOKS, f"{name} has no runbook")
for path in sorted(RUNBOOKS.glob("*.md")):
    check_runbook(path, alerts)
check_tests(alerts)
check_monitoring(alerts)
print("\n".join(problems))
sys.exit(1 if problems else 0)
