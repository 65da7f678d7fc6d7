"""Lists the tests that ctest's log says were skipped, with their reasons.

usage: list_skipped.py LastTest.log
"""
import re
import sys

SKIPPED_TEST = re.compile(r"^\[  SKIPPED \] (\S+) \(\d+ ms\)$")
RUN = re.compile(r"^\[ RUN      \] ")
PLACE = re.compile(r"^\S+:\d+: Skipped$")
# A program that skips as a whole says why on such a line.
SKIPPED_PROGRAM = re.compile(r"^skipped: (.*)$")
# A test of Python's unittest, by its name or its first sentence.
SKIPPED_PYTHON = re.compile(
    r"^(.*?)(?: \(\S+\))? \.\.\. skipped ['\"](.*)['\"]$")
COMMAND = re.compile(r"^\d+/\d+ Testing: (\S+)$")


def skipped(lines):
    """Returns [(test, reason)] in the order of the log."""
    found = []
    program, reason = "", []
    collecting = False
    for line in lines:
        if match := COMMAND.match(line):
            program = match.group(1)
        elif RUN.match(line):
            reason, collecting = [], False
        elif PLACE.match(line):
            collecting = True
        elif match := SKIPPED_TEST.match(line):
            found.append((match.group(1), " ".join(reason)))
            reason, collecting = [], False
        elif match := SKIPPED_PROGRAM.match(line):
            found.append((program, match.group(1)))
        elif match := SKIPPED_PYTHON.match(line):
            found.append((f"{program}: {match.group(1)}", match.group(2)))
        elif collecting and line.strip():
            reason.append(line.strip())
    return found


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        found = skipped(log.read().splitlines())
    print("skipped tests:" if found else "no test was skipped")
    for test, reason in found:
        print(f"  {test}: {reason or 'no reason given'}")


if __name__ == "__main__":
    main()
