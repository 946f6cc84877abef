"""The manifests for Kubernetes: what an API server would take, and what they promise together."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness.containers.containerfile import CONTAINERFILE, containerfile
from harness.containers.manifests import KUBERNETES, Manifest, faults, one, render
from harness.paths import ROOT
from harness.programs.fleet import fleet
from harness.waiting import wait_until
from tdsup.supervisor.config import FleetSettings

OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())

PER_OVERLAY = pytest.mark.parametrize("overlay", OVERLAYS)


def rendered(overlay: str) -> list[Manifest]:
    """All manifests of an overlay."""
    return render(KUBERNETES / "overlays" / overlay)


def test_the_overlays_fit_the_schemas(tmp_path: Path) -> None:
    """Those of Kubernetes and of the Prometheus operator, with no field that they do not know."""
    assert faults([each for overlay in OVERLAYS for each in rendered(overlay)], tmp_path) == ""


def spoilt(kind: str, path: str, value: object) -> Manifest:
    """A manifest of production with another value at a path, or a value where the schema has no field."""
    manifest = one(rendered("production"), kind)
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
    at: Any = manifest
    for key in parents:
        at = at[key]
    at[last] = value
    return manifest


def test_a_wrong_field_is_found(tmp_path: Path) -> None:
    """The schemas are strict enough to be worth asking."""
    found = faults(
        [
            spoilt("StatefulSet", "spec.replicas", "2"),
            spoilt("StatefulSet", "spec.template.spec.containers.0.livenesProbe", {}),
            spoilt("PodMonitor", "spec.podMetricsEndpoints.0.prt", "web"),
        ],
        tmp_path,
    )
    assert re.findall(r"^manifests\.mts\((\d+),", found, re.MULTILINE) == ["2", "4", "6"]
    assert "interval" in faults(
        [spoilt("PodMonitor", "spec.podMetricsEndpoints.0.interval", "soon")], tmp_path
    )


@PER_OVERLAY
def test_all_that_selects_pods_selects_ours(overlay: str) -> None:
    """Service, disruption budget, network policy and monitor name the pods' labels and the port's name."""
    manifests = rendered(overlay)
    template = one(manifests, "StatefulSet")["spec"]["template"]
    labels = template["metadata"]["labels"]
    ports = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0]["ports"]}
    assert ports == {"web": int(containerfile().last("EXPOSE"))}
    assert one(manifests, "Service")["spec"]["selector"].items() <= labels.items()
    assert one(manifests, "Service")["spec"]["ports"][0]["targetPort"] in ports
    policy = one(manifests, "NetworkPolicy")["spec"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()
    assert policy["ingress"][0]["ports"][0]["port"] in ports
    budget = one(manifests, "PodDisruptionBudget")["spec"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()
    for monitor in (each for each in manifests if each["kind"] == "PodMonitor"):
        assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert monitor["spec"]["podMetricsEndpoints"][0]["port"] in ports
    assert {each["metadata"].get("namespace", "tdsup") for each in manifests} == {"tdsup"}


@PER_OVERLAY
def test_pods_are_restricted(overlay: str) -> None:
    """They pass the strictest Pod Security Standard, write nothing on their root and know no token."""
    manifests = rendered(overlay)
    pod = one(manifests, "StatefulSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    uid, gid = containerfile().user
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": gid,
        "fsGroup": gid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    # The types of volumes that the standard allows.
    kinds = {key for volume in pod["volumes"] for key in volume if key != "name"}
    assert kinds <= {"configMap", "secret", "emptyDir"}
    labels = one(manifests, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@PER_OVERLAY
def test_volumes_are_where_the_image_looks(overlay: str) -> None:
    """Jobs, service file and socket; the ConfigMap keeps its name, and no manifest holds a Secret."""
    manifests = rendered(overlay)
    pod = one(manifests, "StatefulSet")["spec"]["template"]["spec"]
    mounts = {each["name"]: each["mountPath"] for each in pod["containers"][0]["volumeMounts"]}
    settings = FleetSettings.model_validate(yaml.safe_load(CONTAINERFILE.with_name("tdsup.yaml").read_text()))
    assert settings.jobs == [f"{mounts['jobs']}/*.ini"]
    assert Path(settings.socket).parent == Path(mounts["run"])
    service_file = Path(containerfile().environment["PGSERVICEFILE"])
    assert service_file.parent == Path(mounts["credentials"])
    volumes = {each["name"]: each for each in pod["volumes"]}
    assert volumes["jobs"]["configMap"]["name"] == one(manifests, "ConfigMap")["metadata"]["name"]
    assert not [each for each in manifests if each["kind"] == "Secret"]
    assert settings.watch
    assert pod["terminationGracePeriodSeconds"] > settings.stop_timeout + settings.kill_timeout + 10


def test_the_operator_gets_the_rules_and_the_labels_they_need() -> None:
    """The rules are those of deploy/prometheus; they find `up` of pods, and jobs by their own names."""
    manifests = rendered("production")
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "tdsup.rules.yml").read_text())
    # kustomize may add an empty line to an expression of several.
    made, given = (
        re.sub(r"(\\n|\s)+", " ", json.dumps(each, sort_keys=True))
        for each in (one(manifests, "PrometheusRule")["spec"], rules)
    )
    assert made == given
    monitor = one(manifests, "PodMonitor")["spec"]
    labels = one(manifests, "StatefulSet")["spec"]["template"]["metadata"]["labels"]
    job = labels[monitor["jobLabel"]]
    assert f'up{{job="{job}"}}' in str(rules)
    assert all(endpoint["honorLabels"] for endpoint in monitor["podMetricsEndpoints"])


def project(volume: Path, files: dict[str, str]) -> None:
    """Write a volume as the kubelet does: a new folder, and a link that is moved to it in one step."""
    generation = volume / f"..{len(list(volume.glob('..2*'))) + 2026}"
    generation.mkdir()
    for name, text in files.items():
        (generation / name).write_text(text)
        if not (volume / name).is_symlink():
            (volume / name).symlink_to(f"..data/{name}")
    (volume / "..data_tmp").symlink_to(generation.name)
    os.replace(volume / "..data_tmp", volume / "..data")  # noqa: PTH105 (a link, not what it leads to)
    for link in volume.glob("[!.]*"):
        if link.name not in files:
            link.unlink()


def test_a_changed_configmap_is_taken_in(tmp_path: Path) -> None:
    """A job of a mounted ConfigMap is changed, added and removed without a restart of the others."""
    volume = tmp_path / "conf.d"
    with fleet(tmp_path, watch=True) as made:
        sleeper = "[sleeper]\n"
        files = {"changed.ini": sleeper, "gone.ini": sleeper, "kept.ini": sleeper}
        project(volume, files)
        made.start()
        made.wait_all("running")
        before = {name: made.job(name)["pid"] for name in ("changed", "kept")}
        files = files | {"changed.ini": "[sleeper]\nline = other\n", "new.ini": sleeper}
        del files["gone.ini"]
        project(volume, files)
        names = {"changed", "kept", "new"}
        wait_until(lambda: {job["name"] for job in made.status()["jobs"]} == names, "the jobs are taken in")
        made.wait_for("new", state="running")
        made.wait_for("changed", state="running", pid=lambda pid: pid not in {None, before["changed"]})
        assert made.job("kept")["pid"] == before["kept"]
        made.stop()
