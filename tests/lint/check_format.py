"""Checks the format of the code with clang-format 14, Debian 12's.

Other versions format some constructs differently, so without version 14 the
check is skipped (exit code 77, which ctest shows as skipped).
"""
import re
import shutil
import subprocess
import sys
import sources

VERSION = "14"
SKIPPED = 77


def find_program():
    """Returns the path of a clang-format of the right version, or None."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            text = subprocess.run([path, "--version"], capture_output=True,
                                  text=True, check=True).stdout
            if re.search(rf"version {VERSION}\.", text):
                return path
    return None


def check(root, program):
    """Returns the files that clang-format would change."""
    paths = sources.files(root)
    if not paths:
        return []
    run = subprocess.run([program, "--dry-run", "-Werror", *paths], cwd=root,
                         capture_output=True, text=True, check=False)
    bad = re.findall(r"^(\S+?):(\d+):\d+: error:", run.stderr, re.M)
    first = {}
    for path, line in bad:
        first.setdefault(path, line)
    return [f"{path}:{line}: run clang-format -i {path}"
            for path, line in first.items()]


if __name__ == "__main__":
    found = find_program()
    if found is None:
        print(f"skipped: no clang-format {VERSION} here")
        sys.exit(SKIPPED)
    sources.main(lambda root: check(root, found))
