"""Reads the dashboards and alert rules, for the tests beside it."""
import json
import re

import yaml

import chart

DASHBOARDS = sorted((chart.CHART / "dashboards").glob("*.json"))
RULES = chart.CHART / "rules/alerts.yaml"
RULES_TEST = chart.CHART / "rules/alerts_test.yaml"

# What stands at the end of an alert's operand, or between two of them.
JOIN = re.compile(r"\s(?:and|or|unless)\s")
COMPARISON = re.compile(
    r"\s(?:==|!=|>=|<=|>|<)\s(?:ignoring \([^)]*\) )?(.*)$")


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def panels(dashboard):
    """The panels that ask something; rows only head them."""
    return [p for p in dashboard["panels"] if p["type"] != "row"]


def queries(path):
    """Returns [(title, expression)] of a dashboard."""
    return [(panel["title"], target["expr"])
            for panel in panels(read(path)) for target in panel["targets"]]


def concrete(expression, instance=".*"):
    """What Grafana would send for all jobs and a range of two minutes."""
    return (expression.replace("$__rate_interval", "2m")
            .replace("$job", ".*").replace("$instance", instance))


def alerts():
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def operands(expression):
    """The parts of an alert's expression that are data when nothing is wrong.

    An alert compares, and so returns nothing while all is well; what it
    compares must be there. Windows of many minutes are shortened to what a
    test lives.
    """
    found = []
    for part in JOIN.split(expression):
        comparison = COMPARISON.search(part)
        sides = [part]
        if comparison:
            sides = [part[:comparison.start()], comparison.group(1)]
        found += [s.strip() for s in sides
                  if not re.fullmatch(r"[0-9.]+", s.strip())]
    return [re.sub(r"\[\d+[mh]\]", "[2m]", f) for f in found]
