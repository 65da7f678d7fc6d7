#!/bin/bash
# Makes the file system of an image: programs, the libraries that they load,
# and nothing else; no shell, no package manager.
#
# usage: deploy/docker/make_root.sh ROOT PROGRAM... [-- LIBRARY...]
#   LIBRARY   a file that a program opens by name at run time (its own
#             libraries come along)
#
# The programs are in ROOT/usr/bin. The image runs them as user 65532.
set -euo pipefail
root=$1
shift
programs=() opened=()
while [ $# -gt 0 ]; do
  if [ "$1" = -- ]; then
    shift
    opened=("$@")
    break
  fi
  programs+=("$1")
  shift
done

mkdir -p "$root"/{etc,lib64,proc,sys,dev,usr/bin,usr/lib/x86_64-linux-gnu}
install -d -m 1777 "$root/tmp"
ln -sfn usr/lib "$root/lib"
cat >"$root/etc/passwd" <<'TEXT'
root:x:0:0:root:/:/nologin
tessera:x:65532:65532:tessera:/:/nologin
TEXT
cat >"$root/etc/group" <<'TEXT'
root:x:0:
tessera:x:65532:
TEXT
# By this file NVIDIA's container toolkit knows where libraries belong.
echo 12 >"$root/etc/debian_version"
# Names are looked up in the image's hosts file and by DNS.
echo "hosts: files dns" >"$root/etc/nsswitch.conf"

# Whom HTTPS servers of buckets are trusted by, where libcurl looks for it.
install -D -m 644 /etc/ssl/certs/ca-certificates.crt \
  "$root/etc/ssl/certs/ca-certificates.crt"

for program in "${programs[@]}"; do
  install -m 755 -s "$program" "$root/usr/bin/"
done
for library in "${opened[@]}"; do
  install -m 644 "$library" "$root/usr/lib/x86_64-linux-gnu/"
done
# What the loader finds for them, by the names under which it looks for it.
ldd "${programs[@]}" "${opened[@]}" | awk '$2 == "=>" {print $1, $3}' |
  sort -u | while read -r name path; do
  [ -e "$path" ] || { echo "library not found: $name" >&2; exit 1; }
  [ -e "$root/usr/lib/x86_64-linux-gnu/$name" ] ||
    install -m 644 "$(realpath "$path")" \
      "$root/usr/lib/x86_64-linux-gnu/$name"
done
loader=/lib64/ld-linux-x86-64.so.2
install -m 755 "$(realpath "$loader")" "$root$loader"
