"""Checks headers (guard, owner) and the names of files.

Every header has the guard TESSERA_PATH_H_, stands in a CMakeLists.txt of its
folder or of one above (the -inl.h files of kernels, which are included once a
SIMD target, have Highway's guard), and no file is named after a drawer. `using namespace`
and notes without an owner have no place in the code either.
"""
import pathlib
import re
import sources

DRAWERS = {"utils", "util", "helpers", "helper", "misc", "common", "manager",
           "impl", "base"}
FORBIDDEN = [
    (re.compile(r"^\s*using\s+namespace\s"), "using namespace"),
    (re.compile(r"\b(TODO|FIXME|XXX)\b"), "a note nobody owns"),
]


def guard_of(path):
    return "TESSERA_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper() + "_"


def check_guard(path, lines):
    if path.endswith("-inl.h"):
        return []  # Highway includes these once a target; no plain guard
    guard = guard_of(path)
    code = [l.strip() for l in lines if l.strip() and
            not sources.is_comment(l)]
    opens = code[:2] == [f"#ifndef {guard}", f"#define {guard}"]
    closes = lines and lines[-1] == f"#endif  // {guard}"
    return [] if opens and closes else [f"{path}: the guard is not {guard}"]


def check_owner(root, path):
    """The header is listed by name in a CMakeLists.txt above it."""
    root = pathlib.Path(root)
    header = root / path
    for folder in header.parents:
        cmake = folder / "CMakeLists.txt"
        if cmake.is_file():
            name = header.relative_to(folder).as_posix()
            words = re.split(r"[\s()]+", cmake.read_text(encoding="utf-8"))
            if name in words:
                return []
        if folder == root:
            break
    return [f"{path}: no CMake target lists it"]


def check(root):
    problems = []
    for path in sources.files(root):
        lines = sources.lines(root, path)
        stem = pathlib.PurePath(path).stem
        if stem in DRAWERS or set(stem.split("_")) & {"utils", "helpers"}:
            problems.append(f"{path}: name it after its concept")
        if path.endswith((".h", ".cuh")):
            problems += check_guard(path, lines) + check_owner(root, path)
        for number, line in enumerate(lines, 1):
            problems += [f"{path}:{number}: {what}" for pattern, what in
                         FORBIDDEN if pattern.search(line)]
    return problems


if __name__ == "__main__":
    sources.main(check)
