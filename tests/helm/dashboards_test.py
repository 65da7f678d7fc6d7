"""The dashboards and rules as files: complete, and tested by promtool."""
import re
import shutil
import subprocess
import unittest

import yaml

import chart
import dashboards


class DashboardsTest(unittest.TestCase):

    def for_each(self, check):
        self.assertEqual([p.stem for p in dashboards.DASHBOARDS],
                         ["lora", "overview", "queue", "storage", "workers"])
        for path in dashboards.DASHBOARDS:
            with self.subTest(path.stem):
                check(dashboards.read(path))

    def test_can_be_imported_anywhere(self):
        uids = set()

        def check(board):
            self.assertIsNone(board["id"])
            self.assertGreaterEqual(board["schemaVersion"], 39)
            self.assertNotIn(board["uid"], uids)
            uids.add(board["uid"])
            names = [v["name"] for v in board["templating"]["list"]]
            self.assertEqual(names, ["datasource", "job", "instance"])

        self.for_each(check)

    def test_panels_are_explained_and_have_units(self):
        def check(board):
            ids = [p["id"] for p in board["panels"]]
            self.assertEqual(len(ids), len(set(ids)))
            for panel in dashboards.panels(board):
                with self.subTest(panel["title"]):
                    self.assertGreater(len(panel["description"]), 20)
                    self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                    self.assertEqual(panel["datasource"]["uid"],
                                     "${datasource}")

        self.for_each(check)

    def test_every_query_follows_the_variables(self):
        def check(board):
            for panel in dashboards.panels(board):
                for target in panel["targets"]:
                    for selector in re.findall(r"\{[^}]*\}", target["expr"]):
                        self.assertIn('job=~"$job"', selector)
                        self.assertIn('instance=~"$instance"', selector)
                    self.assertNotRegex(target["expr"],
                                        r"tessera_\w+(?![\w{])")

        self.for_each(check)

    def test_panels_do_not_overlap(self):
        def check(board):
            taken = set()
            for panel in board["panels"]:
                at = panel["gridPos"]
                cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                         for y in range(at["y"], at["y"] + at["h"])}
                self.assertLessEqual(at["x"] + at["w"], 24)
                self.assertFalse(cells & taken, panel["title"])
                taken |= cells

        self.for_each(check)


class RulesTest(unittest.TestCase):

    @unittest.skipUnless(shutil.which("promtool"),
                         "no promtool: install prometheus")
    def test_promtool_accepts_and_passes_them(self):
        for words in (["check", "rules", dashboards.RULES],
                      ["test", "rules", dashboards.RULES_TEST]):
            run = subprocess.run(["promtool", *words], text=True,
                                 capture_output=True, check=False)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    def test_every_alert_is_tested_to_fire_and_not_to(self):
        tests = yaml.safe_load(
            dashboards.RULES_TEST.read_text(encoding="utf-8"))["tests"]
        fires, quiet = set(), set()
        for each in (a for t in tests for a in t["alert_rule_test"]):
            (fires if each["exp_alerts"] else quiet).add(each["alertname"])
        names = {rule["alert"] for rule in dashboards.alerts()}
        self.assertEqual(fires, names)
        self.assertEqual(quiet, names)

    def test_every_alert_is_explained(self):
        page = (chart.ROOT / "docs/operations.md").read_text("utf-8")
        for rule in dashboards.alerts():
            self.assertIn(f"`{rule['alert']}`", page)
            self.assertIn(rule["labels"]["severity"],
                          ("critical", "warning", "info"))

    def test_chart_hands_on_the_rules(self):
        made = chart.one(chart.render(
            values=chart.CHART / "ci/monitoring-values.yaml"),
            "PrometheusRule")
        rules = {rule["alert"]: rule for group in made["spec"]["groups"]
                 for rule in group["rules"]}
        for rule in dashboards.alerts():
            if rule["alert"] == "TesseraQueueLong":  # disabled there
                self.assertNotIn(rule["alert"], rules)
                continue
            self.assertEqual(rules[rule["alert"]]["expr"], rule["expr"])
            self.assertEqual(rules[rule["alert"]]["labels"]["team"],
                             "pictures")


if __name__ == "__main__":
    unittest.main(verbosity=2)
