"""Checks the metrics: declared once, named well, explained, documented.

A metric is declared in a file metrics.h or metrics.cc as
`registry.Counter("tessera_images_total", "Pictures finished.")`. Its name ends
with its unit, or for a gauge with the thing counted; the help is a sentence.
docs/operations.md lists every metric, and neither it nor anything under deploy/
or helm/ names one that does not exist.
"""
import pathlib
import re
import sources

DECLARATION = re.compile(
    r'\b(Counter|Gauge|Histogram)\(\s*"([^"]*)"\s*,\s*((?:"[^"]*"\s*)+)')
METRIC_FILE = re.compile(r"(^|/)metrics\.(h|cc)$")
NAME = re.compile(r"^tessera_[a-z0-9]+(_[a-z0-9]+)*$")
USED = re.compile(r"\btessera_[a-z0-9_]+\b")

SUFFIXES = {
    "Counter": ("_total",),
    "Histogram": ("_seconds", "_bytes", "_images", "_rows"),
    "Gauge": ("_seconds", "_bytes", "_ratio", "_info", "_jobs", "_shards",
              "_leases", "_workers", "_images", "_threads", "_rows",
              "_loras"),
}
# What Prometheus appends to the parts of a histogram.
PART = re.compile(r"_(bucket|sum|count)$")


def declarations(root):
    """Returns [(path, kind, name, help)] of every declaration outside tests."""
    found = []
    for path in sources.files(root):
        if path.startswith(("tests/", "common/metrics.")):
            continue
        text = "\n".join(sources.lines(root, path))
        for match in DECLARATION.finditer(text):
            parts = re.findall(r'"([^"]*)"', match.group(3))
            found.append((path, match.group(1), match.group(2),
                          "".join(parts)))
    return found


def check_one(path, kind, name, text):
    problems = []
    if not METRIC_FILE.search(path):
        problems.append(f"{path}: {name}: declare it in metrics.h or .cc")
    if not NAME.match(name):
        problems.append(f"{path}: {name}: not of the form tessera_words")
    if not name.endswith(SUFFIXES[kind]):
        problems.append(f"{path}: {name}: a {kind} ends in one of "
                        + ", ".join(SUFFIXES[kind]))
    if len(text) < 10 or not text[0].isupper() or not text.endswith("."):
        problems.append(f"{path}: {name}: the help is not a sentence")
    return problems


def used_names(root):
    """Returns [(file, name)] of metrics named by documents and deployments."""
    root = pathlib.Path(root)
    files = [root / "docs/operations.md"]
    for folder in ("deploy", "helm"):
        files += [p for p in (root / folder).rglob("*")
                  if p.suffix in (".json", ".yaml", ".yml", ".tpl")
                  and "models" not in p.parts]
    return [(f.relative_to(root).as_posix(), name)
            for f in sorted(files) if f.is_file()
            for name in sorted(set(USED.findall(
                f.read_text(encoding="utf-8"))))]


def check(root):
    problems = []
    known = set()
    for path, kind, name, text in declarations(root):
        problems += check_one(path, kind, name, text)
        if name in known:
            problems.append(f"{path}: {name}: declared twice")
        known.add(name)
    used = used_names(root)
    documented = {n for f, n in used if f == "docs/operations.md"}
    problems += [f"docs/operations.md: {n}: not listed"
                 for n in sorted(known - documented)]
    problems += [f"{f}: {n}: no such metric" for f, n in used
                 if n not in known and PART.sub("", n) not in known]
    return problems


if __name__ == "__main__":
    sources.main(check)
