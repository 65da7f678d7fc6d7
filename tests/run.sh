#!/bin/bash
# Installs what is missing (Debian 12), builds with warnings as errors and runs
# every test. Exits non-zero when anything fails.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tests/run.sh [--quick] [--label LABEL] [--preset PRESET] [--jobs N]

  --quick          only the tests that take seconds: lint unit kernels contract
  --label LABEL    only the tests of one label (tests/README.md lists them)
  --preset PRESET  ci (the default), asan, tsan, clang, coverage, dev, release
  --jobs N         compile and test N at a time; the default is 2

TESSERA_SKIP_INSTALL=1 leaves the machine's packages alone.
TEXT
}

preset=ci
jobs=2
select=()
while [ $# -gt 0 ]; do
  case $1 in
    --quick) select=(-L '^(lint|unit|kernels|contract)$') ;;
    --label | --preset | --jobs)
      [ $# -gt 1 ] || { usage >&2; exit 2; }
      case $1 in
        --label) select=(-L "^$2\$") ;;
        --preset) preset=$2 ;;
        --jobs) jobs=$2 ;;
      esac
      shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source=deploy/local/packages.sh
. deploy/local/packages.sh
if [ -z "${TESSERA_SKIP_INSTALL:-}" ]; then
  packages=("${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}")
  case $preset in
    asan | tsan | clang) packages+=(clang-16 libclang-rt-16-dev) ;;
  esac
  install_packages "${packages[@]}"
fi

# With ccache, equal files of different build folders share their objects.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1
# The system's libraries are not built with the sanitizer: what they do is left
# out, what our code does is not.
tsan="suppressions=$root/tests/tsan.supp ignore_noninstrumented_modules=1"
export TSAN_OPTIONS="$tsan ${TSAN_OPTIONS:-}"
# Undefined behaviour ends the test; by itself it is only printed.
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1 ${UBSAN_OPTIONS:-}"

build=build/$preset
cmake --preset "$preset" -DTESSERA_TESTS=ON
cmake --build "$build" -j "$jobs"

failed=0
ctest --test-dir "$build" -j "$jobs" --output-on-failure --no-tests=error \
  "${select[@]}" || failed=1
python3 tests/list_skipped.py "$build/Testing/Temporary/LastTest.log"
exit $failed
