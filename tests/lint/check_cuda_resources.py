"""Compares what ptxas gave each CUDA kernel with tests/kernels/cuda/resources.json.

    check_cuda_resources.py SOURCE BUILD [--update]

Reads the reports (OBJECT.ptxas.txt) that a build leaves beside the objects.
No kernel may spill, use a stack, or draw one of ptxas' warnings (a dropped
setmaxnreg, C7508; serialised wgmma, C7509 to C7520), except those named in
STACK_ALLOWED. With the compiler of the
table, none may use more registers or static shared memory than the table says
or be missing there. Skipped where nothing was compiled.
"""
import json
import pathlib
import re
import subprocess
import sys

TABLE = "tests/kernels/cuda/resources.json"
SKIPPED = 77

# What the table holds of each kernel and architecture.
COMPARED = ["registers", "shared"]

ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\w+)'")
SPILL = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores")
USED = re.compile(r"Used (\d+) registers")
SHARED = re.compile(r"(\d+) bytes smem")
WARNING = re.compile(r"\(C75\d\d\)|warning", re.IGNORECASE)

# Kernels that may use a stack, and why.
STACK_ALLOWED = {
    "TimestepEmbeddingOp": "sinf and cosf reduce large angles in an array; "
                           "a few hundred angles a step",
    "TokenEmbeddingOp": "a 64-bit division calls a function; 77 rows a prompt",
}

NAMES = [("tessera::kernels::cuda::", ""), ("(anonymous namespace)::", ""),
         ("(tessera::kernels::DType)0", "f32"),
         ("(tessera::kernels::DType)1", "f16"),
         ("(tessera::kernels::DType)2", "bf16"),
         ("(bool)0", "false"), ("(bool)1", "true"),
         ("tessera::kernels::", ""),
         ("__nv_bfloat16", "bf16"), ("__half", "f16"), ("void ", "")]


def demangle(symbols):
    """Returns readable names of kernels by symbol."""
    result = subprocess.run(["c++filt"], input="\n".join(symbols), text=True,
                            stdout=subprocess.PIPE, check=True)
    return dict(zip(symbols, map(shorten, result.stdout.splitlines())))


def shorten(name):
    """Returns `Kernel<argument, ...>` without namespaces and parameters."""
    for old, new in NAMES:
        name = name.replace(old, new)
    depth = 0
    for at, letter in enumerate(name):
        depth += (letter == "<") - (letter == ">")
        if letter == "(" and depth == 0:
            return name[:at]
    return name


def parse(text):
    """Yields (symbol, architecture, figures) and (None, None, warning)."""
    entry = None
    figures = {}
    for line in text.splitlines():
        if WARNING.search(line):
            yield None, None, line.strip()
        if found := ENTRY.search(line):
            entry, figures = found.groups(), {}
        elif found := SPILL.search(line):
            figures["stack"] = int(found[1])
            figures["spills"] = int(found[2])
        elif entry and (found := USED.search(line)):
            shared = SHARED.search(line)
            figures["registers"] = int(found[1])
            figures["shared"] = int(shared[1]) if shared else 0
            yield *entry, figures
            entry = None


def measure(build):
    """Returns ({kernel: {architecture: figures}}, warnings) of a build."""
    found, warnings = [], []
    for path in sorted(pathlib.Path(build).rglob("*.ptxas.txt")):
        if not path.with_name(path.name[:-len(".ptxas.txt")]).exists():
            continue  # of an object that is built no longer
        for symbol, architecture, figures in parse(path.read_text()):
            if symbol is None:
                warnings.append(f"{path.name}: {figures}")
            else:
                found.append((symbol, architecture, figures))
    names = demangle(sorted({symbol for symbol, _, _ in found}))
    kernels = {}
    for symbol, architecture, figures in found:
        known = kernels.setdefault(names[symbol], {}).setdefault(
            architecture, dict.fromkeys(figures, 0))
        for key, value in figures.items():
            known[key] = max(known[key], value)
    return kernels, warnings


def compiler_of(build):
    """Returns the version of nvcc that a build uses."""
    for path in pathlib.Path(build).glob("CMakeFiles/*/CMakeCUDACompiler.cmake"):
        found = re.search(r'CMAKE_CUDA_COMPILER_VERSION "([\d.]+)"',
                          path.read_text())
        if found:
            return found[1]
    return ""


def check(kernels, warnings, compiler, table):
    """Returns what is wrong with measured kernels, as lines of text."""
    problems = list(warnings)
    for name, architectures in sorted(kernels.items()):
        for architecture, figures in sorted(architectures.items()):
            where = f"{name} for {architecture}"
            for key in ("stack", "spills"):
                allowed = any(part in name for part in STACK_ALLOWED)
                if figures[key] and not allowed:
                    problems.append(f"{where}: {figures[key]} bytes of {key}")
            known = table["kernels"].get(name, {}).get(architecture)
            if compiler != table["compiler"]:
                continue  # another compiler allocates otherwise
            if known is None:
                problems.append(f"{where}: not in {TABLE}; run with --update")
                continue
            for key, limit in zip(COMPARED, known):
                if figures[key] > limit:
                    problems.append(f"{where}: {figures[key]} {key}, "
                                    f"{limit} in the table")
    return problems


def write(path, kernels, compiler):
    """Writes the table, a kernel a line."""
    rows = []
    for name, architectures in sorted(kernels.items()):
        figures = {a: [f[key] for key in COMPARED]
                   for a, f in sorted(architectures.items())}
        rows.append(f"    {json.dumps(name)}: {json.dumps(figures)}")
    path.write_text(f'{{\n  "compiler": {json.dumps(compiler)},\n'
                    f'  "figures": {json.dumps(COMPARED)},\n'
                    '  "kernels": {\n' + ",\n".join(rows) + "\n  }\n}\n",
                    encoding="utf-8")


def main():
    source, build = map(pathlib.Path, sys.argv[1:3])
    kernels, warnings = measure(build)
    if not kernels:
        print("skipped: this build has compiled no CUDA kernel")
        return SKIPPED
    compiler = compiler_of(build)
    if "--update" in sys.argv:
        write(source / TABLE, kernels, compiler)
    table = json.loads((source / TABLE).read_text())
    problems = check(kernels, warnings, compiler, table)
    for problem in problems:
        print(problem)
    print(f"{len(kernels)} kernels, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
