#!/bin/bash
# Makes 48 pictures on this machine: installs what the build needs (Debian 12,
# as root or with sudo), builds, runs a coordinator and two workers over
# prompts.jsonl, and draws the contact sheet. A second run skips what is done.
#
# usage: deploy/local/demo.sh [OUTPUT_FOLDER]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=deploy/local/packages.sh
. "$here/packages.sh"

out=$(realpath -m "${1:-$root/out/demo-$(date +%Y%m%d-%H%M%S)}")
programs=(tessera tessera-coordinator tessera-worker tessera-probe)
build=build/release
say() { printf '\n== %s\n' "$*"; }

cd "$root"
say "1/4 packages"
install_packages "${BUILD_PACKAGES[@]}"

say "2/4 build (minutes the first time)"
if [ ! -f $build/build.ninja ]; then
  cmake --preset release -DTESSERA_TESTS=OFF
fi
cmake --build $build -j "$(nproc)" --target "${programs[@]}"

say "3/4 a coordinator and two workers make 48 pictures"
mkdir -p "$(dirname "$out")"
$build/bin/tessera local --model deploy/local/models/emoji-sd --workers 2 \
  deploy/local/prompts.jsonl --out "$out"

say "4/4 contact sheet"
$build/bin/tessera sheet "$out"
echo "pictures:      $out/images"
echo "manifest:      $out/manifest.jsonl"
echo "contact sheet: $out/contact-sheet.png"
