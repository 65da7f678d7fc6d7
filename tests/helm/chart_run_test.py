"""What the chart starts, started here: the real programs with its arguments.

There is no cluster: paths and addresses of the rendered containers are
replaced by those of a temporary folder, and the pods' commands are run as
processes. TESSERA_BIN_DIR and TESSERA_MODEL say where programs and model are.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import chart  # noqa: E402
import service  # noqa: E402


def help_text(name):
    return subprocess.run([service.program(name), "--help"], text=True,
                          capture_output=True, check=True).stdout


def flags_of(words):
    return {w.split("=")[0] for w in words if w.startswith("--")}


class FlagsTest(unittest.TestCase):
    """Every flag and variable that the chart sets exists."""

    def test_programs_know_all_flags(self):
        known = {"coordinator": help_text("tessera-coordinator"),
                 "worker": help_text("tessera-worker")}
        for values in chart.VALUE_FILES:
            for pod, spec in chart.pod_specs(chart.render(values=values)):
                main = spec["containers"][0]
                if main["name"] not in known:
                    continue
                text = known[main["name"]]
                for flag in flags_of(main["args"]):
                    self.assertRegex(text, rf"(?m)^ *{re.escape(flag)}$", pod)
                for variable in main.get("env", []):
                    if variable["name"].startswith("TESSERA_"):
                        self.assertIn(variable["name"], text)

    def test_client_knows_the_flags_of_the_test(self):
        pod = chart.one(chart.render(), "Pod", "-test-submit")
        words = pod["spec"]["containers"][0]["args"]
        run = subprocess.run([service.program("tessera"), words[0], "--help"],
                             text=True, capture_output=True, check=True)
        for flag in flags_of(words):
            self.assertIn(flag, run.stdout)


class RunTest(service.ServiceTest):
    """The default chart makes the three pictures of its own test."""

    def setUp(self):
        super().setUp()
        self.objects = chart.render()
        self.metrics = {"9090": service.free_address(),
                        "9091": service.free_address()}

    def words(self, container):
        """The command of a container, with paths and ports of this machine."""
        found = []
        for word in container.get("command", []) + container["args"]:
            word = word.replace("$(RUN)", "run")
            word = word.replace("=/models",
                                f"={os.path.dirname(service.MODEL)}")
            # Only where a path starts: the temporary one may hold the same.
            word = re.sub(r"(^|[=:])/(data|output|prompts|var/cache/tessera)/?",
                          lambda m: f"{m[1]}{self.path(m[2])}/", word)
            word = re.sub(r"=[0-9a-z.-]+:7070", f"={self.address}", word)
            for port, address in self.metrics.items():
                word = word.replace(f"=0.0.0.0:{port}", f"={address}")
            found.append(word)
        return found

    def container(self, kind, suffix):
        each = chart.one(self.objects, kind, suffix)
        spec = each["spec"].get("template", {"spec": each["spec"]})["spec"]
        return spec["containers"][0]

    def healthy(self, port, path):
        try:
            url = f"http://{self.metrics[port]}{path}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def test_default_chart_passes_its_own_test(self):
        coordinator = self.container("StatefulSet", "-coordinator")
        worker = self.container("Deployment", "-worker-cpu")
        submit = self.container("Pod", "-test-submit")
        prompts = chart.one(self.objects, "ConfigMap", "-test-submit")["data"]
        os.makedirs(self.path("prompts"))
        self.write_prompts([json.loads(line) for line in
                            prompts["prompts.jsonl"].splitlines()],
                           "prompts/prompts.jsonl")

        self.start("coordinator.log", service.program("tessera-coordinator"),
                   *self.words(coordinator))
        self.start("worker.log", service.program("tessera-worker"),
                   *self.words(worker),
                   env={**os.environ, "TESSERA_THREADS": "1"})
        for port, each in (("9090", coordinator), ("9091", worker)):
            path = each["readinessProbe"]["httpGet"]["path"]
            service.wait_until(lambda p=port, q=path: self.healthy(p, q),
                               f"readiness probe of {each['name']}")
        run = self.start("submit.log", *(
            [service.program("tessera")] + self.words(submit)[1:]))

        self.assertEqual(run.wait(service.LONG), 0, self.read("submit.log"))
        rows = service.manifest(self.path("output/helm-test-run"))
        self.assertEqual([row["custom_id"] for row in rows],
                         ["test-0", "test-1", "test-2"])

    def test_worker_drains_within_the_grace_period(self):
        each = chart.one(self.objects, "Deployment", "-worker-cpu")
        grace = each["spec"]["template"]["spec"][
            "terminationGracePeriodSeconds"]
        self.start("coordinator.log", service.program("tessera-coordinator"),
                   *self.words(self.container("StatefulSet", "-coordinator")))
        worker = self.start(
            "worker.log", service.program("tessera-worker"),
            *self.words(each["spec"]["template"]["spec"]["containers"][0]),
            env={**os.environ, "TESSERA_THREADS": "1"})
        service.wait_until(lambda: service.listens(self.address), "listens")
        self.start_submit(self.write_prompts(service.prompt_lines(60)))
        service.wait_until(lambda: self.pictures() > 0, "a first picture")

        worker.terminate()

        self.assertEqual(worker.wait(grace), 0)
        self.assertIn("worker drained", self.read("worker.log"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
