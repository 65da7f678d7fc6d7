#!/bin/bash
# Puts what tests/gpu/run.sh needs of Debian's packages into build/gpu-deps, to
# travel with the tree to a machine that has CUDA and a compiler and no network:
# headers and static libraries of Abseil, GoogleTest, libpng, OpenSSL and
# utf8proc, Highway, which Debian has as a shared library alone, and the headers
# of nlohmann-json.
#
# usage: tests/gpu/pack.sh          on Debian 12 with the packages installed
set -euo pipefail
cd "$(dirname "$0")/../.."
deps=build/gpu-deps
packages=(libabsl-dev libhwy-dev libgtest-dev libgmock-dev nlohmann-json3-dev
          libpng-dev zlib1g-dev libssl-dev libutf8proc-dev)
# Only what is linked: the rest of OpenSSL and Abseil's tests stay here.
skipped='libssl\.a|libabsl_.*test|libabsl_flags|nonet'

rm -rf "$deps"
mkdir -p "$deps/include" "$deps/lib"
for package in "${packages[@]}"; do
  files=$(dpkg -L "$package") || {
    echo "pack.sh: package is not installed: $package" >&2
    exit 1
  }
  while IFS= read -r file; do
    [[ -f $file ]] || continue
    case $file in
      /usr/include/x86_64-linux-gnu/*) to=include/${file#/usr/include/x86_64-linux-gnu/} ;;
      /usr/include/*) to=include/${file#/usr/include/} ;;
      /usr/lib/x86_64-linux-gnu/*.a) to=lib/${file##*/} ;;
      *) continue ;;
    esac
    [[ $to =~ $skipped ]] && continue
    mkdir -p "$deps/$(dirname "$to")"
    cp -L "$file" "$deps/$to"
  done <<< "$files"
done
cp -L /usr/lib/x86_64-linux-gnu/libhwy.so.1 "$deps/lib/"
# Symbols for debuggers are most of their size.
strip --strip-debug "$deps"/lib/*.a
dpkg-query -W -f '${Package} ${Version}\n' "${packages[@]}" > "$deps/versions.txt"
git rev-parse --short HEAD > "$deps/commit.txt"
du -sh "$deps"
