"""Checks that no file has outgrown one concept: 400 lines, tests 500."""
import sources

SOURCE_LINES = 400
TEST_LINES = 500


def check(root):
    problems = []
    for path in sources.files(root, sources.CODE + (".proto", ".py")):
        limit = TEST_LINES if path.startswith("tests/") else SOURCE_LINES
        count = len(sources.lines(root, path))
        if count > limit:
            problems.append(f"{path}: {count} lines, at most {limit}")
    return problems


if __name__ == "__main__":
    sources.main(check)
