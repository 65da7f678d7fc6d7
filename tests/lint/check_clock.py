"""Checks that time comes through the Clock: no sleeping, no wall clock.

Reading std::chrono::steady_clock to measure how long work took is fine: nothing
is decided by it. So is a deadline handed to gRPC, which knows no other clock.
"""
import re
import sources

# The real clock, and the tests that run real processes.
EXEMPT = re.compile(r"^(common/clock\.cc|tests/(e2e|chaos|bench)/)")

BANNED = re.compile(
    r"absl::(Now|SleepFor)\b"
    r"|\bstd::this_thread::sleep_(for|until)\b"
    r"|\bsystem_clock::now\b"
    r"|(?<![\w.>])(::)?(usleep|nanosleep|clock_nanosleep|sleep)\s*\(")


def check(root):
    problems = []
    for path in sources.files(root):
        if EXEMPT.match(path):
            continue
        for number, line in enumerate(sources.lines(root, path), 1):
            match = BANNED.search(line.split("//")[0])
            if match and "set_deadline(" not in line:
                problems.append(f"{path}:{number}: {match.group(0).strip()}: "
                                "take a Clock")
    return problems


if __name__ == "__main__":
    sources.main(check)
