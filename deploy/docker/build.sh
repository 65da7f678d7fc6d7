#!/bin/bash
# Builds programs and puts them into a root folder of their own. The build
# stages of the Dockerfiles run this on Debian 12; it runs on any such machine.
#
# usage: deploy/docker/build.sh ON|OFF ROOT PROGRAM...
#   ON|OFF   whether the CUDA backend is built (needs the toolkit)
#   ROOT     the folder to make; see make_root.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source=$(cd "$here/../.." && pwd)
cuda=$1
root=$2
shift 2

build=$source/build/image
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
  -DTESSERA_TESTS=OFF -DTESSERA_BENCHMARKS=OFF -DTESSERA_CUDA="$cuda"
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target "$@"
programs=()
for program in "$@"; do
  programs+=("$build/bin/$program")
done
"$here/make_root.sh" "$root" "${programs[@]}"
