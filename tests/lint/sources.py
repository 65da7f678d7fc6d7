"""Finds and reads the project's own source files, for the checks beside it."""
import pathlib
import sys

FOLDERS = ("common", "proto", "kernels", "worker", "coordinator", "client",
           "tests")
CODE = (".h", ".cc", ".cu", ".cuh")


def files(root, suffixes=CODE):
    """Returns the paths under `root`, relative and sorted, of our own code."""
    root = pathlib.Path(root)
    found = []
    for folder in FOLDERS:
        found += [p.relative_to(root).as_posix()
                  for p in (root / folder).rglob("*")
                  if p.suffix in suffixes and p.is_file()]
    return sorted(found)


def lines(root, path):
    """Returns the lines of a file without their line ends."""
    text = (pathlib.Path(root) / path).read_text(encoding="utf-8")
    return text.splitlines()


def is_comment(line):
    return line.lstrip().startswith("//")


def main(check):
    """Runs `check` on the folder named on the command line; exits 1 if bad."""
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    problems = check(root)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else "no problems")
    sys.exit(1 if problems else 0)
