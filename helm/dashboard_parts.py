"""The parts of a Grafana dashboard, as Grafana's JSON has them.

A panel is a dict; `lay_out` gives panels their places, `dashboard` puts them
together. Every panel has a description and a unit, and asks the data source
that the viewer chose.
"""

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Metrics that every coordinator, and every worker, shows from its start.
COORDINATOR = "tessera_coordinator_workers"
WORKER = "tessera_worker_unet_calls_total"
WIDTH = 24
HEIGHTS = {"stat": 4, "row": 1, "state-timeline": 9}


def targets(queries):
    """`queries` are (PromQL, legend) pairs."""
    return [{"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expr,
             "legendFormat": legend}
            for i, (expr, legend) in enumerate(queries)]


def panel(kind, title, description, unit, queries, width, defaults, options):
    return {
        "type": kind, "title": title, "description": description,
        "datasource": SOURCE, "targets": targets(queries),
        "gridPos": {"w": width, "h": HEIGHTS.get(kind, 8)},
        "fieldConfig": {"defaults": {"unit": unit, **defaults},
                        "overrides": []},
        "options": options,
    }


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [],
            "gridPos": {"w": WIDTH, "h": 1}}


def stat(title, description, unit, expr, warn=None, width=4):
    """One number now; from `warn` on it is orange."""
    steps = [{"color": "green", "value": None}]
    if warn is not None:
        steps.append({"color": "orange", "value": warn})
    return panel(
        "stat", title, description, unit, [(expr, title)], width,
        {"thresholds": {"mode": "absolute", "steps": steps}, "min": 0},
        {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "",
                           "values": False},
         "colorMode": "value", "graphMode": "area", "textMode": "auto"})


def graph(title, description, unit, *queries, stack=False, width=12):
    """Lines over time, or areas that add up."""
    custom = {"drawStyle": "line", "lineWidth": 1, "showPoints": "never",
              "fillOpacity": 30 if stack else 8,
              "stacking": {"mode": "normal" if stack else "none",
                           "group": "A"}}
    return panel(
        "timeseries", title, description, unit, queries, width,
        {"custom": custom, "min": 0},
        {"legend": {"displayMode": "table", "placement": "bottom",
                    "calcs": ["mean", "max", "lastNotNull"]},
         "tooltip": {"mode": "multi", "sort": "desc"}})


def heatmap(title, description, unit, expr, width=12):
    """Buckets of a histogram over time; `expr` keeps the label le."""
    made = panel("heatmap", title, description, unit, [(expr, "{{le}}")],
                 width, {}, {
                     "calculate": False, "cellGap": 1,
                     "yAxis": {"unit": unit},
                     "color": {"mode": "scheme", "scheme": "Oranges",
                               "steps": 64},
                     "tooltip": {"mode": "single", "yHistogram": False}})
    made["targets"][0]["format"] = "heatmap"
    return made


def conditions(title, description, *queries):
    """What is true when: each query is 0 or 1 and named by its legend."""
    mapping = {"type": "value", "options": {
        "0": {"text": "no", "color": "transparent", "index": 0},
        "1": {"text": "yes", "color": "orange", "index": 1}}}
    return panel(
        "state-timeline", title, description, "none", queries, WIDTH,
        {"mappings": [mapping], "custom": {"fillOpacity": 80, "lineWidth": 0},
         "color": {"mode": "thresholds"},
         "thresholds": {"mode": "absolute",
                        "steps": [{"color": "transparent", "value": None},
                                  {"color": "orange", "value": 1}]}},
        {"mergeValues": True, "showValue": "never", "rowHeight": 0.8,
         "legend": {"showLegend": False}})


def lay_out(panels):
    """Gives ids and places: left to right, a new line where one is full."""
    x = y = line = 0
    for number, each in enumerate(panels, 1):
        place = each["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, line = 0, y + line, 0
        place.update(x=x, y=y)
        each["id"] = number
        x, line = x + place["w"], max(line, place["h"])
    return panels


def query_variable(name, label, query):
    return {
        "type": "query", "name": name, "label": label, "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "definition": query,
        "refresh": 2, "sort": 1, "multi": True, "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]}}


def dashboard(uid, title, description, subject, panels):
    """`subject` is a pattern of the metrics whose instances are offered."""
    both = f"{COORDINATOR}|{WORKER}"
    return {
        "uid": uid, "title": title, "description": description, "id": None,
        "tags": ["tessera"], "schemaVersion": 39, "version": 1,
        "editable": True, "graphTooltip": 1, "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"}, "timezone": "browser",
        "links": [{"type": "dashboards", "tags": ["tessera"], "title":
                   "Tessera", "asDropdown": False, "includeVars": True,
                   "keepTime": True}],
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label":
             "Data source", "query": "prometheus", "refresh": 1,
             "current": {}},
            query_variable("job", "Job",
                           f'label_values({{__name__=~"{both}"}}, job)'),
            query_variable(
                "instance", "Instance",
                f'label_values({{__name__=~"{subject}",job=~"$job"}}, '
                "instance)"),
        ]},
        "panels": lay_out(panels),
    }
