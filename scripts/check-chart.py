#!/usr/bin/env python3
"""Tests the Helm chart: renders it with helm, and compares what it renders with deploy/kubernetes/base, with what the values
say, and with the versions in Cargo.toml. scripts/check-deploy runs it, and checks the rendered manifests besides.

    check-chart.py FOLDER    also writes the rendered manifests into this folder
"""

import subprocess
import sys
from pathlib import Path

import yaml

CHART = Path("deploy/helm/pgmedic")
BASE = Path("deploy/kubernetes/base")

problems = []


def expect(what, found, expected):
    if found != expected:
        problems.append(f"{what}: found {found!r}, expected {expected!r}")


def helm(*arguments):
    return subprocess.run(["helm", *arguments], capture_output=True, text=True)


def render(release, *arguments):
    """The objects by kind; a chart that does not render ends the test."""
    done = helm("template", release, str(CHART), *arguments)
    if done.returncode:
        sys.exit(f"helm template {release} {' '.join(arguments)}: {done.stderr}")
    if len(sys.argv) > 1:
        (Path(sys.argv[1]) / f"{release}.yaml").write_text(done.stdout)
    return {found["kind"]: found for found in yaml.safe_load_all(done.stdout) if found}


def base(name):
    return yaml.safe_load((BASE / name).read_text())


def pod(deployment):
    return deployment["spec"]["template"]["spec"]


def the_default_is_the_base():
    """Both ways of installing run the same pod."""
    objects = render("pgmedic")
    expect("kinds", set(objects), {"ConfigMap", "Deployment", "PodDisruptionBudget", "Service"})
    ours, theirs = pod(objects["Deployment"]), pod(base("deployment.yaml"))
    for key in set(ours) | set(theirs):
        if key not in ("containers", "topologySpreadConstraints"):
            expect(f"pod.{key}", ours.get(key), theirs.get(key))
    [our_container], [their_container] = ours["containers"], theirs["containers"]
    expect("imagePullPolicy", our_container.pop("imagePullPolicy"), "IfNotPresent")
    expect("container", our_container, their_container)
    expect("replicas", objects["Deployment"]["spec"]["replicas"], base("deployment.yaml")["spec"]["replicas"])
    expect("ports", objects["Service"]["spec"]["ports"], base("service.yaml")["spec"]["ports"])
    settings = [line for line in (BASE / "pgmedic.toml").read_text().splitlines() if not line.startswith("#")]
    expect("configuration", objects["ConfigMap"]["data"]["pgmedic.toml"].strip(), "\n".join(settings).strip())


def every_value_has_its_effect():
    values = yaml.safe_load((CHART / "ci/everything.yaml").read_text())
    expect("values in ci/everything.yaml", set(values), set(yaml.safe_load((CHART / "values.yaml").read_text())))
    objects = render("shop", "-f", str(CHART / "ci/everything.yaml"))
    deployment = objects["Deployment"]
    container = pod(deployment)["containers"][0]
    expect("name", deployment["metadata"]["name"], "shop-pgmedic")
    expect("image", container["image"], "registry.example/pgmedic:0.1.0")
    expect("env", container["env"][1], values["env"][0])
    expect("resources", container["resources"], values["resources"])
    expect("configuration", objects["ConfigMap"]["data"]["pgmedic.toml"], values["config"])
    for key in ("imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName"):
        expect(key, pod(deployment)[key], values[key])
    expect("secret", pod(deployment)["volumes"][0]["projected"]["sources"][1]["secret"]["name"], "urls")
    selector = deployment["spec"]["selector"]["matchLabels"]
    template = deployment["spec"]["template"]["metadata"]
    expect("pod labels", template["labels"], {**selector, **values["podLabels"]})
    expect("pod annotation", template["annotations"]["team"], "database")
    for kind, endpoints in (("PodMonitor", "podMetricsEndpoints"), ("ServiceMonitor", "endpoints")):
        monitor = objects[kind]
        expect(f"{kind} selector", monitor["spec"]["selector"]["matchLabels"], selector)
        expect(f"{kind} interval", monitor["spec"][endpoints][0]["interval"], values[kind[0].lower() + kind[1:]]["interval"])
        expect(f"{kind} label", monitor["metadata"]["labels"]["release"], "prometheus")


def a_value_that_does_not_exist_is_refused():
    done = helm("template", "pgmedic", str(CHART), "--set", "replicaCount=3")
    if done.returncode == 0 or "replicaCount" not in done.stderr:
        problems.append(f"--set replicaCount=3: expected an error that names it, found {done.stderr!r}")


def a_changed_configuration_starts_a_rollout():
    def checksum(*arguments):
        return render("pgmedic", *arguments)["Deployment"]["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    if checksum() == checksum("--set", "config=[log]"):
        problems.append("the checksum does not depend on the configuration")


def the_versions_are_the_workspaces():
    lines = Path("Cargo.toml").read_text().splitlines()
    version = next(line.split('"')[1] for line in lines if line.startswith("version = "))
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    expect("version in Chart.yaml", chart["version"], version)
    expect("appVersion in Chart.yaml", chart["appVersion"], version)


a_changed_configuration_starts_a_rollout()
the_default_is_the_base()
every_value_has_its_effect()
a_value_that_does_not_exist_is_refused()
the_versions_are_the_workspaces()
print("\n".join(problems))
sys.exit(1 if problems else 0)
