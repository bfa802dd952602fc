"""Judges Kubernetes manifests as strictly as a server would: manifests.py FILE... (`-` is standard input).

The schema finds unknown and misplaced fields and wrong types. What only the server's own code knows, it does not find:
these rules stand below, as far as our manifests need them.
"""

import re
import sys

import kubernetes_validate
import yaml

PROMETHEUS = "monitoring.coreos.com/"
CHOICES = {
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "completionMode": {"Indexed", "NonIndexed"},
    "restartPolicy": {"Never", "OnFailure"},
    "terminationMessagePolicy": {"File", "FallbackToLogsOnError"},
    "fsGroupChangePolicy": {"Always", "OnRootMismatch"},
}


class Unique(yaml.SafeLoader):
    """A server refuses a key that stands twice; PyYAML takes the last one."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
        return super().construct_mapping(node, deep)


def walk(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{path}.{key}", key, inner
            yield from walk(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, f"{path}[{index}]")


def schema(document):
    if not document["apiVersion"].startswith(PROMETHEUS):
        try:
            kubernetes_validate.validate(document, "1.37", strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'.'.join(map(str, error.path))}: {error.message}"
        return
    # The operator's types drop what they do not know, so what comes back must be all that went in.
    import cloudcoil.models.prometheus_operator.v1 as operator

    model = getattr(operator, document["kind"])
    back = model.model_validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")
    if back != document:
        kept = {path for path, _, _ in walk(back)}
        yield f"unknown fields: {[path for path, _, _ in walk(document) if path not in kept] or 'of another type'}"


def job(name, spec, maps):
    if len(name) > 52:
        yield "the name leaves no room for the Job's"
    cron, spec = spec, spec["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    rules = spec.get("podFailurePolicy", {}).get("rules", [])
    containers = {container["name"]: container for container in pod["containers"]}
    if rules and pod["restartPolicy"] != "Never":
        yield "podFailurePolicy wants restartPolicy: Never"
    for rule in rules:
        if len(rule.keys() & {"onExitCodes", "onPodConditions"}) != 1:
            yield f"a rule has one of onExitCodes and onPodConditions: {rule}"
        if rule["action"] not in {"FailJob", "FailIndex", "Ignore", "Count"}:
            yield f"no such action: {rule}"
        if rule["action"] == "FailIndex" and "backoffLimitPerIndex" not in spec:
            yield "FailIndex wants backoffLimitPerIndex"
        codes = rule.get("onExitCodes")
        if codes:
            values = codes["values"]
            if values != sorted(set(values)) or (0 in values and codes["operator"] == "In"):
                yield f"exit codes are in order, once, and not 0: {values}"
            if codes.get("containerName") not in containers:
                yield f"no container {codes.get('containerName')}"
    if "backoffLimitPerIndex" in spec and spec.get("completionMode") != "Indexed":
        yield "backoffLimitPerIndex wants completionMode: Indexed"
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    used = set()
    for container in containers.values():
        seen = set()
        for variable in container.get("env", []):
            for other in re.findall(r"\$\((\w+)\)", variable.get("value", "")):
                if other not in seen:
                    yield f"{variable['name']} refers to {other}, which does not stand above it"
            seen.add(variable["name"])
        for mount in container.get("volumeMounts", []):
            used.add(mount["name"])
            if mount["name"] not in volumes:
                yield f"no volume {mount['name']}"
    for unused in volumes.keys() - used:
        yield f"nobody mounts the volume {unused}"
    for volume in volumes.values():
        wanted = volume.get("configMap", {}).get("name")
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        if wanted and ("ConfigMap", wanted) not in maps:
            yield f"no ConfigMap {wanted}"
        if claim and ("PersistentVolumeClaim", claim) not in maps:
            yield f"no PersistentVolumeClaim {claim}"
    # Pod Security "restricted", and a root that cannot be written.
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "the Pod is not restricted"
    for container in containers.values():
        own = container.get("securityContext", {})
        if (
            own.get("allowPrivilegeEscalation") is not False
            or own.get("readOnlyRootFilesystem") is not True
            or own.get("capabilities") != {"drop": ["ALL"]}
        ):
            yield f"the container {container['name']} is not restricted"
        if "memory" not in container.get("resources", {}).get("limits", {}):
            yield f"the container {container['name']} has no limit of memory"
    if cron.get("startingDeadlineSeconds", 10) < 10:
        yield "the controller looks every 10 s: a shorter startingDeadlineSeconds never starts anything"


def problems(documents):
    known = {(document["kind"], document["metadata"]["name"]) for document in documents}
    if len(known) != len(documents):
        yield "a resource stands twice"
    for document in documents:
        name = f"{document['kind']}/{document['metadata']['name']}"
        found = list(schema(document))
        for path, key, value in walk(document):
            if key in CHOICES and value not in CHOICES[key]:
                found.append(f"{path}: {value} is none of {sorted(CHOICES[key])}")
        if not found and document["kind"] == "CronJob":
            found = list(job(document["metadata"]["name"], document["spec"], known))
        yield from (f"{name}: {problem}" for problem in found)


failed = False
for place in sys.argv[1:]:
    with sys.stdin if place == "-" else open(place, encoding="utf-8") as text:
        documents = [document for document in yaml.load_all(text, Loader=Unique) if document is not None]
    found = list(problems(documents)) if documents else ["no document"]
    failed |= bool(found)
    for problem in found:
        print(f"{place}: {problem}", file=sys.stderr)
sys.exit(failed)
