#!/bin/sh
# Runs a CUDA compiler command and keeps what ptxas reports of each kernel
# (registers, stack, spills) beside the object, as OBJECT.ptxas.txt, instead of
# in the build's output. All other messages pass.
object=""
previous=""
for argument in "$@"; do
  if [ "$previous" = "-o" ]; then object=$argument; fi
  previous=$argument
done
if [ -z "$object" ]; then exec "$@"; fi
messages="$object.messages.txt"
"$@" 2>"$messages"
status=$?
report='^ptxas info|bytes stack frame|^[[:space:]]*$'
grep -E "$report" "$messages" >"$object.ptxas.txt"
grep -vE "$report" "$messages" >&2
rm -f "$messages"
exit $status
