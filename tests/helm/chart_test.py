"""The chart: lint, Kubernetes schemas, snapshots, restricted pods, bad values.

TESSERA_UPDATE_SNAPSHOTS=1 writes the snapshots anew; review their difference.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import kubernetes_validate
import yaml

import chart

# The oldest that the chart allows, and some up to the newest known.
VERSIONS = ("1.27", "1.31", "1.34", "1.37")
# (value file, version): why it is not valid there.
TOO_OLD = {("mig", "1.27"): "image volumes came with 1.31"}
# Not of Kubernetes itself; the snapshots hold them still.
CUSTOM = ("ServiceMonitor", "PodMonitor", "PrometheusRule", "ScaledObject")
# Value files that ask for a volume of the node, which "restricted" forbids.
HOST_PATHS = ("one-node",)


def snapshot_of(objects):
    """A text that shows changes of meaning and not of form."""
    for each in objects:
        if each["kind"] == "ConfigMap" and "dashboard" in str(
                each["metadata"]["name"]):
            each["data"] = {name: "as in helm/tessera/dashboards"
                            for name in each["data"]}
    objects = sorted(objects, key=lambda o: (o["kind"],
                                             o["metadata"]["name"]))
    return yaml.safe_dump_all(objects, sort_keys=True, width=78)


class RenderTest(unittest.TestCase):

    def for_each_file(self, check):
        """Calls `check` with the name, the path and the objects of each."""
        self.assertGreaterEqual(len(chart.VALUE_FILES), 12)
        for values in chart.VALUE_FILES:
            with self.subTest(chart.name_of(values)):
                check(chart.name_of(values), values,
                      chart.render(values=values))

    def test_lints_strictly(self):
        def check(_name, values, _objects):
            code, out, err = chart.helm("lint", "--strict", str(chart.CHART),
                                        "--values", str(values))
            self.assertEqual(code, 0, out + err)

        self.for_each_file(check)

    def test_is_valid_kubernetes(self):
        def check(name, _values, objects):
            for each in objects:
                for version in VERSIONS:
                    if each["kind"] in CUSTOM or (name, version) in TOO_OLD:
                        continue
                    kubernetes_validate.validate(each, version, strict=True)

        self.for_each_file(check)

    def test_older_versions_are_listed_for_a_reason(self):
        for (name, version) in TOO_OLD:
            objects = chart.render(
                values=chart.CHART / f"ci/{name}-values.yaml")
            with self.assertRaises(kubernetes_validate.ValidationError):
                for each in objects:
                    kubernetes_validate.validate(each, version, strict=True)

    def test_equals_its_snapshot(self):
        update = os.environ.get("TESSERA_UPDATE_SNAPSHOTS")

        def check(name, _values, objects):
            path = chart.SNAPSHOTS / f"{name}.yaml"
            text = snapshot_of(objects)
            if update:
                path.write_text(text, encoding="utf-8")
            self.assertTrue(path.is_file(), f"{path} is missing")
            self.assertEqual(path.read_text(encoding="utf-8"), text)

        self.for_each_file(check)
        self.assertEqual({p.stem for p in chart.SNAPSHOTS.glob("*.yaml")},
                         {chart.name_of(v) for v in chart.VALUE_FILES})

    def test_names_are_unique(self):
        def check(_name, _values, objects):
            seen = [(o["kind"], o["metadata"].get("namespace"),
                     o["metadata"]["name"]) for o in objects]
            self.assertEqual(len(seen), len(set(seen)))

        self.for_each_file(check)

    def test_selectors_find_their_pods(self):
        def check(_name, _values, objects):
            for each in objects:
                if "template" not in each.get("spec", {}):
                    continue
                wanted = each["spec"]["selector"]["matchLabels"]
                labels = each["spec"]["template"]["metadata"]["labels"]
                self.assertEqual(wanted, {k: labels.get(k) for k in wanted})

        self.for_each_file(check)

    def test_pods_are_restricted(self):
        """The rules of the Pod Security Standard "restricted"."""
        def check(name, _values, objects):
            for pod, spec in chart.pod_specs(objects):
                with self.subTest(pod):
                    self.check_restricted(spec, name in HOST_PATHS)

        self.for_each_file(check)

    def check_restricted(self, spec, host_paths):
        for field in ("hostNetwork", "hostPID", "hostIPC"):
            self.assertFalse(spec.get(field))
        self.assertFalse(spec["automountServiceAccountToken"])
        self.assertTrue(spec["securityContext"]["runAsNonRoot"])
        self.assertEqual(spec["securityContext"]["seccompProfile"]["type"],
                         "RuntimeDefault")
        allowed = {"configMap", "emptyDir", "ephemeral", "image",
                   "persistentVolumeClaim", "secret"}
        if host_paths:
            allowed.add("hostPath")
        for volume in spec.get("volumes", []):
            self.assertLessEqual(set(volume) - {"name"}, allowed)
        for container in spec["containers"] + spec.get("initContainers", []):
            context = container["securityContext"]
            self.assertIs(context["allowPrivilegeEscalation"], False)
            self.assertEqual(context["capabilities"]["drop"], ["ALL"])
            self.assertNotIn("add", context["capabilities"])

    def test_our_containers_write_only_to_volumes(self):
        def check(_name, _values, objects):
            for _, spec in chart.pod_specs(objects):
                context = spec["containers"][0]["securityContext"]
                self.assertTrue(context["readOnlyRootFilesystem"])

        self.for_each_file(check)


class DocumentsTest(unittest.TestCase):

    def test_values_in_the_documents_are_accepted(self):
        page = (chart.ROOT / "docs/kubernetes.md").read_text("utf-8")
        examples = re.findall(r"(?ms)^```yaml\n(.*?)^```$", page)
        self.assertEqual(len(examples), 2)
        for example in examples:
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as values:
                values.write(example)
                values.flush()
                self.assertTrue(chart.render(values=values.name))


class NotesTest(unittest.TestCase):
    """What helm says after an installation."""

    def notes(self, name):
        code, out, err = chart.helm(
            "install", chart.RELEASE, str(chart.CHART), "--namespace",
            chart.NAMESPACE, "--dry-run=client", "--values",
            str(chart.CHART / f"ci/{name}-values.yaml"))
        if "cluster" in err and "unreachable" in err:
            self.skipTest("this helm needs a cluster to show notes")
        self.assertEqual(code, 0, err)
        return out[out.index("NOTES:"):]

    def test_pools_are_described(self):
        self.assertIn("demo-tessera-worker-slices, 7 pods, one "
                      "nvidia.com/mig-1g.10gb each", self.notes("mig"))
        self.assertIn("worker-gpu, 0 to 64 pods, one nvidia.com/gpu each",
                      self.notes("keda"))
        self.assertIn("jobs wait until workers come",
                      self.notes("no-workers"))

    def test_dangers_are_named(self):
        self.assertIn("all jobs are forgotten", self.notes("memory"))
        self.assertIn("every pod of the cluster", self.notes("memory"))
        self.assertNotIn("WARNING", self.notes("locked-down"))


class BadValuesTest(unittest.TestCase):
    """Each mistake is refused, and the message says what and where."""

    def refuse(self, words, *values):
        sets = [w for v in values for w in ("--set", v)]
        code, out, err = chart.helm("template", "x", str(chart.CHART), *sets)
        self.assertNotEqual(code, 0, f"accepted: {values}")
        for word in words:
            self.assertIn(word, out + err)

    def test_unknown_values(self):
        self.refuse(["nonsense"], "nonsense=1")
        self.refuse(["gpus", "pools"], "workers.pools[0].name=a",
                    "workers.pools[0].gpus=1")
        self.refuse(["tls", "coordinator"], "coordinator.tls.enabled=true")

    def test_both_autoscalers(self):
        self.refuse(["workers.pools: a", "hpa.enabled", "keda.enabled",
                     "choose one"],
                    "workers.pools[0].name=a",
                    "workers.pools[0].autoscaling.hpa.enabled=true",
                    "workers.pools[0].autoscaling.keda.enabled=true")

    def test_both_autoscalers_by_default_and_pool(self):
        self.refuse(["choose one"], "workers.pools[0].name=a",
                    "workers.defaults.autoscaling.hpa.enabled=true",
                    "workers.pools[0].autoscaling.keda.enabled=true")

    def test_ranges_of_replicas(self):
        hpa = "workers.defaults.autoscaling.hpa.enabled=true"
        self.refuse(["minReplicas is 0", "HPA"], hpa,
                    "workers.defaults.autoscaling.minReplicas=0")
        self.refuse(["minReplicas 9", "maxReplicas 4"], hpa,
                    "workers.defaults.autoscaling.minReplicas=9")

    def test_keda_without_prometheus(self):
        self.refuse(["autoscaling.keda.serverAddress"],
                    "workers.defaults.autoscaling.keda.enabled=true")

    def test_pools(self):
        self.refuse(["workers.pools: a", "two pools"],
                    "workers.pools[0].name=a", "workers.pools[1].name=a")
        self.refuse(["name"], "workers.pools[0].name=Not_A_Label")
        self.refuse(["migProfile", "gpu.enabled"],
                    "workers.defaults.gpu.migProfile=1g.10gb")

    def test_names_that_are_missing(self):
        self.refuse(["models.persistentVolumeClaim.claimName"],
                    "models.type=persistentVolumeClaim")
        self.refuse(["models.hostPath.path"], "models.type=hostPath")
        self.refuse(["models.image.reference"], "models.type=image")
        self.refuse(["output.hostPath.path"], "output.type=hostPath")
        self.refuse(["loraCache.persistentVolumeClaim.claimName"],
                    "workers.defaults.loraCache.type=persistentVolumeClaim")

    def test_values_out_of_range(self):
        self.refuse(["digest"], "coordinator.image.digest=latest")
        self.refuse(["store"], "coordinator.store=mysql")
        self.refuse(["device"], "workers.defaults.device=tpu")
        self.refuse(["batch"], "workers.defaults.batch=65")


class FilesTest(unittest.TestCase):

    def check_script(self, name):
        run = subprocess.run([sys.executable, "-B",
                              chart.ROOT / "helm" / name, "--check"],
                             text=True, capture_output=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_page_of_values_is_fresh(self):
        self.check_script("make_readme.py")

    def test_dashboards_are_fresh(self):
        self.check_script("make_dashboards.py")

    def test_schema_knows_exactly_the_values(self):
        schema = json.loads(
            (chart.CHART / "values.schema.json").read_text("utf-8"))
        values = yaml.safe_load(
            (chart.CHART / "values.yaml").read_text("utf-8"))

        def compare(part, value, where):
            if "$ref" in part:
                part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
            known = part.get("properties")
            if not isinstance(value, dict) or known is None:
                return
            self.assertIs(part.get("additionalProperties"), False, where)
            self.assertLessEqual(set(value), set(known), where)
            for key, below in value.items():
                compare(known[key], below, f"{where}.{key}")

        compare(schema, values, "values")
        self.assertEqual(set(schema["properties"]) - set(values), {"global"})

    def test_pools_take_all_that_defaults_have(self):
        schema = json.loads(
            (chart.CHART / "values.schema.json").read_text("utf-8"))
        workers = schema["properties"]["workers"]["properties"]
        pool = dict(workers["pools"]["items"]["properties"])
        pool.pop("name")
        self.assertEqual(pool, workers["defaults"]["properties"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
