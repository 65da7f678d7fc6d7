"""Writes the table of values in helm/tessera/README.md from values.yaml.

A comment that starts with "# --" explains the key below it. Everything after
the marker in README.md is replaced; what is before it is written by hand. With
--check nothing is written, and the exit code is 1 where the page is stale.
Needs PyYAML (Debian: python3-yaml).
"""
import json
import pathlib
import re
import sys

import yaml

CHART = pathlib.Path(__file__).resolve().parent / "tessera"
MARKER = "<!-- Below: made by helm/make_readme.py from values.yaml. -->"
KEY = re.compile(r"^( *)([A-Za-z0-9_./-]+):(\s|$)")
COMMENT = re.compile(r"^ *# ?(.*)$")


def read_comments(text):
    """Returns {path: explanation}, in order, of the keys with a "# --"."""
    found, stack, words = {}, [], []
    for line in text.splitlines():
        comment, key = COMMENT.match(line), KEY.match(line)
        if comment:
            said = comment.group(1)
            if said.startswith("-- "):
                words = [said[3:]]
            elif words:
                words.append(said)
        elif key:
            depth = len(key.group(1)) // 2
            stack = stack[:depth] + [key.group(2)]
            if words:
                found[tuple(stack)] = " ".join(words)
            words = []
        else:
            words = []
    return found


def value_at(values, path):
    for key in path:
        values = values[key]
    return values


def undocumented(values, documented, path=()):
    """Returns the paths of values that no comment explains."""
    missing = []
    for key, value in values.items():
        here = path + (key,)
        if here in documented:
            continue
        if isinstance(value, dict) and value:
            missing += undocumented(value, documented, here)
        else:
            missing.append(".".join(here))
    return missing


def make_table(text):
    """Returns the page's tables, one for each key at the top."""
    values, comments = yaml.safe_load(text), read_comments(text)
    missing = undocumented(values, comments)
    if missing:
        sys.exit(f"values.yaml: no \"# --\" above: {', '.join(missing)}")
    rows, sections = [], {}
    for path, said in comments.items():
        default = json.dumps(value_at(values, path), ensure_ascii=False)
        row = f"| `{'.'.join(path)}` | `{default}` | {said} |"
        if len(path) == 1:
            rows.append(row)
        else:
            sections.setdefault(path[0], []).append(row)
    head = ["", "| value | default | what |", "|---|---|---|"]
    lines = ["", "## Everything"] + head + rows
    for name, section in sections.items():
        lines += ["", f"## {name}"] + head + section
    return "\n".join(lines).replace("|  |", "| |") + "\n"


def main():
    readme = CHART / "README.md"
    page = readme.read_text(encoding="utf-8")
    table = make_table((CHART / "values.yaml").read_text(encoding="utf-8"))
    wanted = page.split(MARKER)[0] + MARKER + "\n" + table
    if "--check" in sys.argv[1:]:
        if page != wanted:
            sys.exit("helm/tessera/README.md is stale: run "
                     "python3 helm/make_readme.py")
        return
    readme.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
