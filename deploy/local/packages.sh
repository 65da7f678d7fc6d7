#!/bin/bash
# The Debian 12 packages that Tessera needs, in one place. Sourced by demo.sh
# and tests/run.sh; the development container and CI use those.
# shellcheck disable=SC2034  # the lists are read by whoever sources this

# To build and run the programs.
BUILD_PACKAGES=(
  g++ cmake ninja-build pkg-config
  libabsl-dev             # Status, strings, flags, synchronisation
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc
  prometheus-cpp-dev      # metrics pages
  nlohmann-json3-dev libsimdjson-dev
  libsqlite3-dev          # the job store
  libpng-dev libssl-dev   # pictures and their digests
  libzstd-dev             # stored shards
  libhwy-dev              # SIMD kernels
  libutf8proc-dev         # the tokenizer's Unicode
  libgloo-dev             # pipelines over TCP
  libcurl4-openssl-dev    # S3
  ca-certificates         # whom its servers are trusted by
)

# To build and run the tests and the lints as well.
TEST_PACKAGES=(
  libgtest-dev libgmock-dev libbenchmark-dev
  python3 clang-format
  python3-venv prometheus # label helm: its tools, promtool and a server
)

# Installs those of the given packages that are missing. Needs root or sudo
# only when something is missing.
install_packages() {
  local package missing=() as_root=()
  if ! command -v apt-get >/dev/null; then
    echo "no apt-get here; this expects the equivalents of: $*" >&2
    return 0
  fi
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
      grep -q '^install ok installed$' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "run as root or install sudo; missing: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
      --no-install-recommends "${missing[@]}" >/dev/null
}
