"""Asks every panel and every alert of a real Prometheus that scrapes a real
coordinator and two workers while they make pictures, fail at some, and a worker
and the coordinator are killed.

TESSERA_BIN_DIR and TESSERA_MODEL say where programs and model are.
"""
import json
import math
import os
import pathlib
import re
import shutil
import signal
import struct
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import dashboards  # noqa: E402
import service  # noqa: E402

LORA = (pathlib.Path(__file__).resolve().parents[1]
        / "golden/loras/ink-peft.safetensors")

# Empty while nothing is wrong, and nothing here can be made to go so wrong:
# a part of the expression, and why. The same without it must give data.
KNOWN_EMPTY = {
    'code="RESOURCE_EXHAUSTED"': "no disk is full and no queue runs over",
    'code=~"INTERNAL|UNKNOWN|DATA_LOSS"': "the coordinator does not fail",
    'result!~"OK|ABORTED|UNAVAILABLE"': "no commit is refused",
    "absent(": "the coordinator is scraped",
}


def bad_lora(path):
    """Writes a well-formed LoRA whose only layer no model has."""
    layer = "unet.down_blocks.77.attentions.0.proj_in"
    numbers = struct.pack("<32f", *([0.5] * 32))
    header = json.dumps({
        f"{layer}.lora_A.weight": {"dtype": "F32", "shape": [4, 8],
                                   "data_offsets": [0, 128]},
        f"{layer}.lora_B.weight": {"dtype": "F32", "shape": [8, 4],
                                   "data_offsets": [128, 256]}}).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header + numbers * 2)


@unittest.skipUnless(shutil.which("prometheus"),
                     "no prometheus: install the package prometheus")
class MonitoringTest(service.ServiceTest):

    def setUp(self):
        super().setUp()
        self.prometheus = service.free_address()
        self.coordinator = service.free_address()
        self.workers = [service.free_address() for _ in range(2)]

    def start_prometheus(self):
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(dashboards.RULES)],
            "scrape_configs": [{"job_name": "tessera", "static_configs": [
                {"targets": [self.coordinator, *self.workers]}]}]}
        with open(self.path("prometheus.yml"), "w", encoding="utf-8") as out:
            json.dump(config, out)  # JSON is YAML
        self.start("prometheus.log", shutil.which("prometheus"),
                   f"--config.file={self.path('prometheus.yml')}",
                   f"--storage.tsdb.path={self.path('tsdb')}",
                   f"--web.listen-address={self.prometheus}")
        service.wait_until(lambda: self.ask("up") is not None,
                           "prometheus is ready")

    def start_measured_coordinator(self):
        process = self.start(
            "coordinator.log", service.program("tessera-coordinator"),
            "--listen", self.address, "--store",
            f"sqlite:{self.path('store.db')}", "--data", self.path("data"),
            "--metrics-listen", self.coordinator, "--lease-duration", "2s")
        service.wait_until(lambda: service.listens(self.address), "listens")
        return process

    def start_measured_worker(self, number):
        return self.start(
            f"worker{number}.log", service.program("tessera-worker"),
            "--coordinator", self.address, "--models",
            os.path.dirname(service.MODEL), "--device", "cpu", "--threads",
            "1", "--lora-cache", self.path("loras"), "--metrics-listen",
            self.workers[number])

    def get(self, path, **parameters):
        url = (f"http://{self.prometheus}/api/v1/{path}?"
               + urllib.parse.urlencode(parameters))
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]

    def ask(self, expression):
        """The values that an expression has now; None where nobody answers."""
        try:
            found = self.get("query", query=expression)["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # still starting
                return None
            raise AssertionError(f"{expression}: {error.read()}") from error
        except OSError:
            return None
        return [v for v in (float(s["value"][1]) for s in found)
                if not math.isnan(v)]

    def reason(self, legend):
        """Whether a line of "Why is nothing running" holds."""
        panel = next(p for path in dashboards.DASHBOARDS
                     for p in dashboards.panels(dashboards.read(path))
                     if p["title"] == "Why is nothing running")
        target = next(t for t in panel["targets"]
                      if t["legendFormat"] == legend)
        return self.ask(dashboards.concrete(target["expr"])) == [1]

    def submit(self, name, lines, *flags):
        return self.start(
            f"{name}.log", service.program("tessera"), "--coordinator",
            self.address, "submit", self.write_prompts(lines, f"{name}.jsonl"),
            "--model", os.path.basename(service.MODEL), "--out",
            self.path(name), "--shard-size", "4", "--watch", *flags)

    def push(self, name, path):
        code, text = self.tessera("--coordinator", self.address, "lora",
                                  "push", name, str(path))
        self.assertEqual(code, 0, text)

    def run_jobs(self, coordinator):
        """A job with LoRAs that loses a worker and the coordinator, one that
        fails, and a call for a job that is not there."""
        self.push("ink", LORA)
        bad_lora(self.path("bad.safetensors"))
        self.push("bad", self.path("bad.safetensors"))
        job = self.submit("good", service.prompt_lines(
            64, loras=[{"name": "ink"}]))
        service.wait_until(lambda: self.reason("there is no worker"),
                           "the panel says that workers are missing")
        workers = [self.start_measured_worker(n) for n in (0, 1)]
        service.wait_until(
            lambda: self.ask('sum(tessera_worker_images_total{result="done"})')
            > [0] and self.ask("tessera_coordinator_leases") == [2],
            "both workers make pictures")
        self.stop(workers[0], signal.SIGKILL)
        service.wait_until(
            lambda: self.ask("tessera_coordinator_leases_lost_total") == [1],
            "the lease is lost")
        self.stop(coordinator, signal.SIGKILL)
        self.start_measured_coordinator()
        self.assertEqual(job.wait(service.LONG), 0, self.read("good.log"))
        service.check_output(self.path("good"), service.prompt_lines(64))
        self.start_measured_worker(0)
        failing = self.submit("failing", service.prompt_lines(
            4, loras=[{"name": "bad"}]))
        self.assertEqual(failing.wait(service.LONG), 1,
                         self.read("failing.log"))
        self.tessera("--coordinator", self.address, "status", "no-such-job")
        # Two scrapes later rates know of it.
        for expression, least in (
                ('tessera_coordinator_images_total{result="failed"} '
                 "- tessera_coordinator_images_total offset 1s", 0),
                ('count_over_time(tessera_worker_images_total{'
                 'result!="done"}[1m])', 2),
                ('count_over_time(tessera_coordinator_call_seconds_count{'
                 'code="NOT_FOUND"}[1m])', 2)):
            service.wait_until(
                lambda e=expression, n=least: max(self.ask(e) or [-1]) >= n,
                expression)

    def test_every_panel_and_alert_has_data(self):
        coordinator = self.start_measured_coordinator()
        self.start_prometheus()
        self.run_jobs(coordinator)

        asked = [(f"{path.stem}: {title}", dashboards.concrete(query))
                 for path in dashboards.DASHBOARDS
                 for title, query in dashboards.queries(path)]
        asked += [(rule["alert"], part) for rule in dashboards.alerts()
                  for part in dashboards.operands(rule["expr"])]
        self.assertGreater(len(asked), 80)
        for name, expression in asked:
            with self.subTest(name, expression=expression):
                self.check_data(expression)

        self.assertTrue(self.reason("there is no work"))
        self.check_rules()

    def check_data(self, expression):
        empty = [part for part in KNOWN_EMPTY if part in expression]
        found = self.ask(expression)
        if not empty or " or vector(0)" in expression:
            self.assertTrue(found, "no data")
            return
        self.assertFalse(found, "has data: it is not known to be empty")
        if empty[0] != "absent(":
            self.assertTrue(self.ask(expression.replace(
                empty[0], re.match(r"\w+", empty[0])[0] + '=~".+"')),
                "no data, whatever the label")

    def check_rules(self):
        rules = [rule for group in self.get("rules")["groups"]
                 for rule in group["rules"]]
        self.assertEqual({rule["name"] for rule in rules},
                         {rule["alert"] for rule in dashboards.alerts()})
        for rule in rules:
            self.assertEqual(rule["health"], "ok", rule.get("lastError"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
