"""Checks that every #include obeys the table of allowed dependencies.

The table is the one in docs/architecture.md. A module may include its own
folder, the folders listed for it, and the listed groups of packages; packages
that belong to no group are free for everyone.
"""
import re
import sources

# Packages that only some modules may know.
GROUPS = {
    "grpc": re.compile(r"^(grpc|grpcpp)/|\.grpc\.pb\.h$"),
    "proto": re.compile(r"^google/protobuf/|\.pb\.h$"),
    "sql": re.compile(r"^(sqlite3\.h|libpq-fe\.h|pqxx/)"),
    "cuda": re.compile(r"^(cuda|cudnn|cublas|curand|nccl|cub/|mma\.h)"),
    "prometheus": re.compile(r"^(prometheus/|CivetServer\.h|civetweb\.h)"),
    "highway": re.compile(r"^hwy/"),
    "gloo": re.compile(r"^gloo/"),
    "curl": re.compile(r"^curl/"),
}

KERNELS = ("kernels", "kernels/ops")

# (what, own and allowed folders, allowed groups). The first match counts. A
# folder stands for its own files only, not for the folders inside it; an entry
# that ends in .h is that one header.
RULES = [
    (r"common/metrics\.", ("common",), {"prometheus"}),
    (r"common/rpc/", ("common/rpc", "common"), {"grpc"}),
    (r"common/storage/http\.cc$", ("common/storage", "common"), {"curl"}),
    (r"common/storage/", ("common/storage", "common"), set()),
    (r"common/", ("common",), set()),
    (r"kernels/backends\.cc$", KERNELS + ("kernels/cpu", "kernels/cuda",
                                          "common"), set()),
    (r"kernels/cpu/", KERNELS + ("kernels/cpu", "common"), {"highway"}),
    (r"kernels/cuda/", KERNELS + ("kernels/cuda", "kernels/cuda/attention",
                                  "kernels/cuda/tiles", "common"), {"cuda"}),
    (r"kernels/", KERNELS + ("common",), set()),
    (r"worker/model/", KERNELS + ("worker/model", "common"), set()),
    (r"worker/lora/", KERNELS + ("worker/lora", "worker/model", "common"),
     set()),
    (r"worker/pipeline/gloo_channel\.cc$",
     KERNELS + ("worker/pipeline", "common"), {"gloo"}),
    (r"worker/pipeline/nccl_channel\.cc$",
     KERNELS + ("worker/pipeline", "worker/model", "common"), {"cuda"}),
    (r"worker/pipeline/", KERNELS + ("worker/pipeline", "worker/model",
                                     "common"), set()),
    # The worker's edge: the only files that speak the protocol.
    (r"worker/(coordinator_link_grpc|lora_download_grpc|codec|group_codec|"
     r"worker_main)"
     r"\.(h|cc)$",
     KERNELS + ("worker", "worker/model", "worker/lora", "worker/pipeline",
                "common", "common/rpc", "common/storage"),
     {"proto", "grpc", "prometheus"}),
    # Shows how the coordinator would cut a model.
    (r"worker/probe_plan\.cc$",
     KERNELS + ("worker", "worker/model", "worker/lora", "worker/pipeline",
                "common", "coordinator/pipeline/planner.h"), set()),
    (r"worker/", KERNELS + ("worker", "worker/model", "worker/lora",
                            "worker/pipeline", "common", "common/storage"),
     {"prometheus"}),
    (r"coordinator/pipeline/", ("coordinator/pipeline", "common"), set()),
    (r"coordinator/store/", ("coordinator/store", "coordinator/job.h",
                             "coordinator/lora.h", "common"), {"sql"}),
    (r"coordinator/service/", ("coordinator/service", "coordinator",
                               "coordinator/pipeline",
                               "common", "common/rpc"),
     {"proto", "grpc", "prometheus"}),
    # Main alone gives the registry the worker's parser of LoRA files.
    (r"coordinator/coordinator_main\.cc$",
     ("coordinator", "coordinator/store", "common", "common/storage",
      "worker/lora/inspect.h"), set()),
    (r"coordinator/(server|options)\w*\.(h|cc)$",
     ("coordinator", "coordinator/service", "coordinator/store", "common",
      "common/rpc", "common/storage"), {"proto", "grpc", "prometheus"}),
    (r"coordinator/", ("coordinator", "coordinator/store/job_store.h",
                       "coordinator/pipeline", "common", "common/storage"),
     {"prometheus"}),
    # Reads a LoRA as a worker would, on the user's machine.
    (r"client/commands/lora_check\.cc$",
     ("client", "client/commands", "worker/lora", "worker/model", "common"),
     set()),
    (r"client/", ("client", "client/commands", "common", "common/rpc",
                  "common/storage"),
     {"proto", "grpc"}),
]

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
IMPORT = re.compile(r'^\s*import\s+(?:public\s+)?"([^"]+)"')


def is_ours(include):
    top = include.split("/")[0]
    return "/" in include and top in sources.FOLDERS and top != "proto"


def problem_with(path, include):
    """Returns why `path` may not include `include`, or None."""
    rule = next((r for r in RULES if re.match(r[0], path)), None)
    if rule is None:  # tests include everything
        return None
    _, folders, groups = rule
    if is_ours(include):
        allowed = include in folders or include.rsplit("/", 1)[0] in folders
        return None if allowed else "not an allowed module"
    group = next((g for g, p in GROUPS.items() if p.search(include)), None)
    if group is not None and group not in groups:
        return f"{group} is not allowed here"
    return None


def check_code(root):
    problems = []
    for path in sources.files(root):
        for number, line in enumerate(sources.lines(root, path), 1):
            match = INCLUDE.match(line)
            why = match and problem_with(path, match.group(1))
            if why:
                problems.append(f"{path}:{number}: {match.group(1)}: {why}")
    return problems


def check_protos(root):
    """The public API never imports the internal protocol."""
    problems = []
    for path in sources.files(root, (".proto",)):
        if "/internal/" in path:
            continue
        for number, line in enumerate(sources.lines(root, path), 1):
            match = IMPORT.match(line)
            if match and "/internal/" in match.group(1):
                problems.append(f"{path}:{number}: the public API imports "
                                f"{match.group(1)}")
    return problems


def check(root):
    return check_code(root) + check_protos(root)


if __name__ == "__main__":
    sources.main(check)
