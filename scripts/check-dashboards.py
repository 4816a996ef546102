"""Checks the Grafana dashboards in dashboards/grafana: every panel has a title, a description, and a unit, and its
queries use the dashboard's variables; docs/agent.md lists every metric; every link has a target; compose.yml
provisions the dashboards. tests/integration/truth.rs runs the queries in a real Prometheus."""

import json
import re
import sys
from pathlib import Path

import yaml

DASHBOARDS = Path("dashboards/grafana")
AGENT = Path("docs/agent.md")
RUNBOOKS = Path("docs/runbooks")
MONITORING = Path("docs/monitoring.md")
COMPOSE = Path("deploy/compose.yml")
PROVIDER = Path("deploy/grafana/provisioning/dashboards/pgmedic.yml")

# The schema that Grafana 10.0 writes. Later versions migrate it; earlier ones may not read it.
OLDEST_GRAFANA = "10.0.0"
SCHEMA = 38
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
VARIABLES = ["datasource", "job", "instance", "database", "runbooks"]
ANNOTATIONS = {"Repairs", "Repairs held", "Versions", "Reloads"}
# Metrics that Prometheus makes itself, with the variables that must select them. An alert may have no instance.
CHOSEN = {"up": {"job", "instance"}, "ALERTS": {"job", "database"}}
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
SELECTOR = re.compile(r"\b((?:pgmedic|process)_\w+|up|ALERTS)\b(?!\s*=)(\{[^}]*\})?")
# A graph must count over $__rate_interval, which follows the zoom; a single number may use a fixed time.
COUNTED = re.compile(r"\b(?:changes|increase|rate)\([^\[\]]*\[([^\]]*)\]")

problems = []
linked_runbooks = set()


def problem(where, what):
    problems.append(f"{where}: {what}")


def listed():
    """Each metric that docs/agent.md lists, with its labels."""
    found = {}
    rows = AGENT.read_text().split("## Metrics", 1)[1]
    for names, labels in re.findall(r"^\| (`pgmedic_[^|]*) \|([^|]*)\|", rows, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            found[name] = {label.strip() for label in labels.split(",")}
    return found


def walk(value):
    """Yields every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from walk(inner)


def check_query(where, expression, metrics, instant=False):
    selectors = SELECTOR.findall(expression)
    if not selectors:
        problem(where, f"no metric in {expression}")
    for name, matchers in selectors:
        base = HISTOGRAM.sub("", name)
        if name in CHOSEN:
            wanted = CHOSEN[name]
        elif name.startswith("process_"):
            wanted = {"job", "instance"}
        elif name in metrics or base in metrics:
            labels = metrics.get(name, metrics.get(base))
            wanted = {"job", "instance"} | labels & {"database"}
        else:
            problem(where, f"{name} is not in {AGENT}")
            continue
        for label in sorted(wanted):
            if not re.search(rf'\b{label}=~"\${label}\|?"', matchers):
                problem(where, f'{name}: expected {label}=~"${label}"')
    for window in COUNTED.findall(expression):
        if window != "$__rate_interval" and not instant:
            problem(where, f"counted over {window}, expected $__rate_interval")


def check_panel(where, panel, metrics):
    if not panel.get("title"):
        problem(where, "no title")
    if not panel.get("description", "").endswith("."):
        problem(where, "expected a description that ends with a period")
    if not panel["fieldConfig"]["defaults"].get("unit"):
        problem(where, "expected a unit, or none")
    if panel.get("datasource") != DATASOURCE:
        problem(where, f"found the data source {panel.get('datasource')}")
    if not panel.get("targets"):
        problem(where, "no query")
    refs = [target["refId"] for target in panel["targets"]]
    if len(set(refs)) != len(refs):
        problem(where, f"found the refIds {refs}")
    for target in panel["targets"]:
        check_query(f"{where}, {target['refId']}", target["expr"], metrics, target.get("instant", False))
        if target.get("instant", False) == target.get("range", False):
            problem(where, f"{target['refId']}: expected instant or range")
    # Overrides must refer to columns by the names that "organize" gives them.
    organized = [step for step in panel.get("transformations", []) if step["id"] == "organize"]
    for step in organized:
        shown = set(step["options"]["renameByName"].values())
        for override in panel["fieldConfig"]["overrides"]:
            if override["matcher"]["id"] == "byName" and override["matcher"]["options"] not in shown:
                problem(where, f"no column {override['matcher']['options']}")
    # A missing value must not have the color of a healthy one.
    for thresholds in walk(panel):
        steps = thresholds.get("steps")
        if steps and steps[0]["color"] == "green":
            problem(where, "the color of a missing value is green")


def check_grid(where, panels):
    taken = {}
    for panel in panels:
        at = panel["gridPos"]
        if at["x"] + at["w"] > COLUMNS:
            problem(where, f"{panel['title']} is wider than the page")
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                other = taken.setdefault((x, y), panel["title"])
                if other != panel["title"]:
                    problem(where, f"{panel['title']} covers {other}")
                    return
    # Grafana would move up the panels below a hole.
    for y in range(max(y for _, y in taken) + 1):
        if any((x, y) not in taken for x in range(COLUMNS)):
            problem(where, f"line {y} of the grid is not filled")
            return


def check_links(where, dashboard, uids):
    titles = [link["title"] for link in dashboard["links"]]
    if "Runbooks" not in titles:
        problem(where, "no link to the runbooks")
    linked = set()
    status = False
    for link in walk(dashboard):
        url = link.get("url")
        if url is None:
            continue
        other = re.match(r"/d/([\w-]+)", url)
        runbook = re.fullmatch(r"\$\{runbooks\}/(\w+)\.md", url)
        if other:
            linked.add(other[1])
            if other[1] not in uids:
                problem(where, f"{url}: there is no such dashboard")
        elif runbook:
            if not (RUNBOOKS / f"{runbook[1]}.md").exists():
                problem(where, f"{url}: there is no such runbook")
            linked_runbooks.add(runbook[1])
        elif url == "http://${__value.raw}/":
            status = True
        elif not url.startswith("${runbooks}"):
            problem(where, f"{url} is no link to a dashboard, a runbook, or a status page")
    if uids - {dashboard["uid"]} - linked:
        problem(where, "no link to the other dashboard")
    if not status:
        problem(where, "no link to a status page")


def check_dashboard(path, dashboard, metrics, uids):
    if dashboard["schemaVersion"] != SCHEMA:
        problem(path, f"found schemaVersion {dashboard['schemaVersion']}, expected {SCHEMA}")
    oldest = {item["id"]: item["version"] for item in dashboard["__requires"]}.get("grafana")
    if oldest != OLDEST_GRAFANA or f"Grafana {OLDEST_GRAFANA[:-2]}" not in dashboard["description"]:
        problem(path, f"expected Grafana {OLDEST_GRAFANA} under __requires, and in the description")
    panels = dashboard["panels"]
    types = {panel["type"] for panel in panels} - {"row"}
    if types != {item["id"] for item in dashboard["__requires"] if item["type"] == "panel"}:
        problem(path, f"__requires lists other panels than {sorted(types)}")
    ids = [panel["id"] for panel in panels]
    if len(set(ids)) != len(ids):
        problem(path, "two panels have the same id")
    titles = [panel["title"] for panel in panels if panel["type"] != "row"]
    if len(set(titles)) != len(titles):
        problem(path, "two panels have the same title")
    for panel in panels:
        if panel["type"] != "row":
            check_panel(f"{path}, {panel['title'] or panel['id']}", panel, metrics)
    check_grid(path, panels)
    check_links(path, dashboard, uids)

    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    if list(variables) != VARIABLES:
        problem(path, f"found the variables {', '.join(variables)}, expected {', '.join(VARIABLES)}")
    for variable in variables.values():
        if variable["type"] == "query" and variable["query"]["query"] != variable["definition"]:
            problem(path, f"{variable['name']}: query and definition differ")
    annotations = {annotation["name"]: annotation for annotation in dashboard["annotations"]["list"]}
    if set(annotations) != ANNOTATIONS:
        problem(path, f"found the annotations {', '.join(annotations)}, expected {', '.join(sorted(ANNOTATIONS))}")
    for name, annotation in annotations.items():
        check_query(f"{path}, annotation {name}", annotation["expr"], metrics)
    for inner in walk(dashboard):
        if "datasource" in inner and inner["datasource"] != DATASOURCE:
            problem(path, f"found the data source {inner['datasource']}, expected the variable")


def check_provisioning():
    mounts = [mount.split(":") for mount in yaml.safe_load(COMPOSE.read_text())["services"]["grafana"]["volumes"]]
    mounts = {target: (COMPOSE.parent / source).resolve() for source, target, *_ in mounts if source.startswith(".")}
    if mounts.get(f"/etc/grafana/provisioning/{PROVIDER.parent.name}") != PROVIDER.parent.resolve():
        problem(COMPOSE, f"{PROVIDER.parent} is not mounted")
    for provider in yaml.safe_load(PROVIDER.read_text())["providers"]:
        if mounts.get(provider["options"]["path"]) != DASHBOARDS.resolve():
            problem(PROVIDER, f"{provider['options']['path']} is not where compose.yml mounts {DASHBOARDS}")


metrics = listed()
dashboards = {path: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}
uids = {dashboard["uid"] for dashboard in dashboards.values()}
if len(uids) < 2 or len(uids) != len(dashboards):
    problem(DASHBOARDS, f"found the uids {', '.join(sorted(uids))}")
shared = [json.dumps([board["templating"], board["annotations"]]) for board in dashboards.values()]
if len(set(shared)) != 1:
    problem(DASHBOARDS, "the dashboards differ in their variables or annotations")
for path, dashboard in dashboards.items():
    check_dashboard(path, dashboard, metrics, uids)
    if f"[{path.name}](../{path})" not in MONITORING.read_text():
        problem(MONITORING, f"does not mention {path.name}")
for runbook in sorted({path.stem for path in RUNBOOKS.glob("*.md")} - linked_runbooks):
    problem(DASHBOARDS, f"no panel links to the runbook {runbook}")
check_provisioning()
print("\n".join(problems))
sys.exit(1 if problems else 0)
