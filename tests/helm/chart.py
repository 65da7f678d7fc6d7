"""Renders the chart with the real helm, for the tests beside it."""
import functools
import os
import pathlib
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/tessera"
SNAPSHOTS = pathlib.Path(__file__).resolve().parent / "snapshots"
VALUE_FILES = sorted((CHART / "ci").glob("*-values.yaml"))
RELEASE, NAMESPACE = "demo", "pictures"


def helm(*words):
    """Runs helm: (exit code, standard output, standard error)."""
    run = subprocess.run([os.environ["TESSERA_HELM"], *words], text=True,
                         capture_output=True, check=False)
    return run.returncode, run.stdout, run.stderr


@functools.lru_cache(maxsize=None)
def template(*words):
    """What helm prints for the chart; rendered once for all tests."""
    code, out, err = helm("template", RELEASE, str(CHART), "--namespace",
                          NAMESPACE, *words)
    if code:
        raise AssertionError(f"helm template: {err.strip()}")
    return out


def name_of(values):
    return values.name.removesuffix("-values.yaml")


def render(*words, values=None):
    """Returns the objects, as helm gives them to a cluster, in order."""
    more = ["--values", str(values)] if values else []
    return [o for o in yaml.safe_load_all(template(*more, *words)) if o]


def pod_specs(objects):
    """Returns [(kind/name, spec)] of everything that makes pods."""
    found = []
    for each in objects:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            found.append((name, each["spec"]))
        elif each["kind"] in ("Deployment", "StatefulSet"):
            found.append((name, each["spec"]["template"]["spec"]))
    return found


def one(objects, kind, suffix=""):
    """Returns the only object of a kind whose name ends so."""
    found = [o for o in objects if o["kind"] == kind
             and o["metadata"]["name"].endswith(suffix)]
    assert len(found) == 1, f"{len(found)} of {kind} *{suffix}"
    return found[0]
