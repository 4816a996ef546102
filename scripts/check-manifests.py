"""Checks the YAML files under deploy/: Kubernetes manifests against the API's schema and the restricted Pod Security
Standard, and every reference to another file or object.

    check-manifests.py          the files of the repository
    check-manifests.py FILE     the objects in one file
"""

import sys
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

KUBERNETES = "1.37"  # the newest schema; the oldest supported version is checked too
OLDEST_KUBERNETES = "1.29"

# The fields of the Prometheus operator's resources that are used here. The API's schema has no custom resources.
def custom_resource(spec, **properties):
    return {
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "properties": {
            "apiVersion": {"const": "monitoring.coreos.com/v1"},
            "spec": exactly(spec, **properties),
        },
    }


def exactly(required, **properties):
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


def some(items):
    return {"type": "array", "minItems": 1, "items": items}


DURATION = {"type": "string", "pattern": "^([0-9]+(d|h|m|s))+$"}
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
POD_MONITOR = custom_resource(
    ["selector", "podMetricsEndpoints"],
    selector=exactly(["matchLabels"], matchLabels=STRINGS),
    podMetricsEndpoints=some(
        exactly(
            ["port"],
            port={"const": "pgmedic"},
            path={"const": "/metrics"},
            interval=DURATION,
        )
    ),
)

SERVICE_MONITOR = custom_resource(
    ["selector", "endpoints"],
    selector=exactly(["matchLabels"], matchLabels=STRINGS),
    endpoints=some(
        exactly(
            ["port"],
            port={"const": "pgmedic"},
            path={"const": "/metrics"},
            interval=DURATION,
        )
    ),
)

# promtool checks the expressions and templates.
STRING = {"type": "string"}
RULE = {"alert": STRING, "expr": STRING, "for": DURATION, "labels": STRINGS, "annotations": STRINGS}
PROMETHEUS_RULE = custom_resource(
    ["groups"],
    groups=some(
        exactly(
            ["name", "rules"],
            name=STRING,
            interval=DURATION,
            rules=some(exactly(["alert", "expr"], **RULE)),
        )
    ),
)

OPERATOR = {"PodMonitor": POD_MONITOR, "ServiceMonitor": SERVICE_MONITOR, "PrometheusRule": PROMETHEUS_RULE}

problems = []


def problem(where, what):
    problems.append(f"{where}: {what}")


def objects(path):
    return [found for found in yaml.safe_load_all(path.read_text()) if found is not None]


def merged(base, patch):
    """Merges a patch into an object. Enough for a patch that only adds."""
    result = dict(base)
    for key, value in patch.items():
        result[key] = merged(base[key], value) if isinstance(value, dict) and key in base else value
    return result


def check_object(where, manifest):
    where = f"{where}, {manifest.get('kind')} {manifest.get('metadata', {}).get('name')}"
    if manifest.get("kind") in OPERATOR:
        for error in jsonschema.Draft202012Validator(OPERATOR[manifest["kind"]]).iter_errors(manifest):
            problem(where, f"{error.json_path}: {error.message}")
        return
    for version in (OLDEST_KUBERNETES, KUBERNETES):
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            problem(where, f"{'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})")
    if manifest.get("kind") in ("Deployment", "Job"):
        check_pod(where, manifest["spec"]["template"]["spec"])


def check_pod(where, pod):
    """Checks the restricted profile (kubernetes.io, Pod Security Standards) and references inside the pod."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key):
            problem(where, f"{key} is forbidden by the restricted profile")
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for name, volume in volumes.items():
        if not set(volume) <= {"name", "configMap", "secret", "projected", "emptyDir"}:
            problem(where, f"volume {name} has a kind that the restricted profile forbids, or that is not used here")
    for container in pod.get("containers", []) + pod.get("initContainers", []):
        here = f"{where}, container {container['name']}"
        context = {**pod.get("securityContext", {}), **container.get("securityContext", {})}
        expected = {
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        for key, value in expected.items():
            if context.get(key) != value:
                problem(here, f"securityContext.{key}: found {context.get(key)}, expected {value}")
        if context.get("privileged") or not context.get("runAsUser"):
            problem(here, "securityContext.runAsUser: expected the numeric id of a user that is not root")
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in volumes:
                problem(here, f"volumeMounts: there is no volume {mount['name']}")
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for key in ("livenessProbe", "readinessProbe"):
            port = container.get(key, {}).get("httpGet", {}).get("port")
            if port is not None and port not in ports:
                problem(here, f"{key}: there is no port {port}")
        if container["name"] == "pgmedic" and ports.get("pgmedic", 9847) != 9847:
            problem(here, "expected port 9847, as in the image")


def check_kustomization(path):
    """Checks that each named file exists and that each manifest in the folder is named."""
    kustomization = objects(path)[0]
    unknown = set(kustomization) - {"apiVersion", "kind", "resources", "components", "patches", "configMapGenerator"}
    if unknown:
        problem(path, f"unexpected {', '.join(sorted(unknown))}: add support to this check")
    named = kustomization.get("resources", []) + kustomization.get("components", [])
    named += [patch["path"] for patch in kustomization.get("patches", [])]
    named += [file for generator in kustomization.get("configMapGenerator", []) for file in generator["files"]]
    for name in named:
        if not (path.parent / name).exists():
            problem(path, f"{name} does not exist")
    for manifest in path.parent.glob("*.yaml"):
        if manifest != path and manifest.name not in named:
            problem(path, f"{manifest.name} is not used")


def check_compose(path):
    compose = objects(path)[0]
    for name, service in compose["services"].items():
        where = f"{path}, {name}"
        if service.get("read_only") is not True or service.get("cap_drop") != ["ALL"]:
            problem(where, "expected read_only: true and cap_drop: [ALL]")
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if not (path.parent / source).exists():
                    problem(where, f"{source} does not exist")
            elif source not in compose["volumes"]:
                problem(where, f"there is no volume {source}")
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                problem(where, f"port {port} is published on all addresses")


def check_repository():
    kubernetes = Path("deploy/kubernetes")
    for path in sorted(kubernetes.rglob("*.yaml")):
        if path.name == "kustomization.yaml":
            check_kustomization(path)
        elif path.name == "patch.yaml":
            app = objects(kubernetes / "overlays/sidecar/app.yaml")[0]
            for manifest in objects(path):
                check_object(path, merged(app, manifest))
        else:
            for manifest in objects(path):
                check_object(path, manifest)
    check_compose(Path("deploy/compose.yml"))
    for path in sorted(Path("deploy/grafana").rglob("*.yml")):
        objects(path)


if len(sys.argv) > 1:
    for manifest in objects(Path(sys.argv[1])):
        check_object(sys.argv[1], manifest)
else:
    check_repository()
print("\n".join(problems))
sys.exit(1 if problems else 0)
