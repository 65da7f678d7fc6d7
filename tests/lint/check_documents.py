"""Checks the documents: READMEs there and short, links and paths not stale.

Every top-level folder has a README.md of at most 40 lines. A relative link, and
a path in backquotes that starts with a folder of ours, must exist.
"""
import pathlib
import re
import sources

README_LINES = 40
FOLDERS = sources.FOLDERS + ("deploy", "docs", "helm")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Only plain paths: no spaces, wildcards, braces or placeholders.
QUOTED = re.compile(r"`([A-Za-z0-9_./-]+)`")
ROOTS = FOLDERS + ("cmake",)


def documents(root):
    found = list(root.glob("*.md"))
    for folder in ROOTS:
        found += (root / folder).rglob("*.md")
    return sorted(found)


def check_readmes(root):
    problems = []
    for folder in FOLDERS:
        readme = root / folder / "README.md"
        if not readme.is_file():
            problems.append(f"{folder}: has no README.md")
        elif len(sources.lines(root, f"{folder}/README.md")) > README_LINES:
            problems.append(f"{folder}/README.md: more than {README_LINES} "
                            "lines")
    return problems


def exists(root, document, path):
    """Whether `path` is there, seen from the root or from the document.

    A name without an ending may stand for a class: x for x.h, x.cc, x.proto.
    """
    for base in (root, document.parent):
        target = base / path
        if target.exists() or any(target.parent.glob(target.name + ".*")):
            return True
    return False


def check_paths(root, document):
    name = document.relative_to(root).as_posix()
    problems = []
    in_block = False
    for number, line in enumerate(sources.lines(root, name), 1):
        if line.startswith("```"):
            in_block = not in_block
        if in_block:
            continue
        wanted = [l for l in LINK.findall(line) if "://" not in l]
        wanted += [p for p in QUOTED.findall(line)
                   if "/" in p and p.split("/")[0] in ROOTS]
        problems += [f"{name}:{number}: {path} does not exist"
                     for path in wanted if not exists(root, document, path)]
    return problems


def check(root):
    root = pathlib.Path(root)
    problems = check_readmes(root)
    for document in documents(root):
        problems += check_paths(root, document)
    return problems


if __name__ == "__main__":
    sources.main(check)
