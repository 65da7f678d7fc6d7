#!/bin/bash
# Builds and runs everything that needs a GPU: each op against the CPU's, the
# engine against the goldens, batch invariance, benchmarks. Needs a CUDA toolkit
# of version 12 or later with cuBLASLt and cuDNN 9, make and g++ 11 or later; and
# build/gpu-deps, which tests/gpu/pack.sh makes on Debian.
#
# usage: tests/gpu/run.sh [--out DIR] [PART...]
#   build ops attention engine sanitize bench    the parts, in this order;
#   without any, all whose last run was not good, and of those the checks that
#   were not. Logs and marks are in DIR, build/gpu by default; removing DIR/done
#   starts anew. The random models of the benchmarks take 9 GB there.
#
# Prints a table and exits with 1 when anything failed.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=build/gpu
if [[ ${1:-} == --out ]]; then
  out=$2
  shift 2
fi
all=(build ops attention engine sanitize bench)
parts=("$@")
mkdir -p "$out/done" "$out/log"
failed=0
table=()

# Says which machine this was, for the report.
describe() {
  echo "date: $(date -u +%FT%TZ)"
  echo "commit: $(git rev-parse --short HEAD 2>/dev/null || cat build/gpu-deps/commit.txt 2>/dev/null || echo unknown)"
  nvidia-smi --query-gpu=name,compute_cap,driver_version,memory.total --format=csv,noheader
  "$cuda/bin/nvcc" --version | tail -n 2 | head -n 1
}

# Runs a command with a limit in seconds and notes how it went; passes over what
# was good before, unless its part was asked for.
check() {
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  if (( ${#parts[@]} == 0 )) && [[ -e $out/done/check-$name ]]; then
    table+=("ok       $name  (before)")
    return
  fi
  rm -f "$out/done/check-$name"
  if timeout "$limit" "$@" > "$out/log/$name.txt" 2>&1; then
    # A test that found no device has proven nothing.
    if grep -q '\[  SKIPPED \]' "$out/log/$name.txt"; then
      table+=("SKIPPED  $name  $((SECONDS - start)) s")
      failed=1
    else
      table+=("ok       $name  $((SECONDS - start)) s")
      touch "$out/done/check-$name"
    fi
  else
    local code=$?
    table+=("FAILED   $name  $((SECONDS - start)) s  exit $code, $out/log/$name.txt")
    grep -E 'Failure|FAILED|rror' "$out/log/$name.txt" | head -n 12
    failed=1
  fi
}

# Finds the toolkit, cuDNN's headers and the device's architecture.
cuda=${CUDA_HOME:-/usr/local/cuda}
[[ -x $cuda/bin/nvcc ]] || cuda=$(dirname "$(dirname "$(command -v nvcc)")")
cudnn=
for folder in "$cuda/include" /usr/include /usr/include/x86_64-linux-gnu \
              "$(python3 -c 'import nvidia.cudnn as c; print(list(c.__path__)[0] + "/include")' 2>/dev/null)"; do
  [[ -f $folder/cudnn_graph.h ]] && cudnn=$folder && break
done
if [[ -z $cudnn ]]; then
  echo "run.sh: cudnn_graph.h not found" >&2
  exit 2
fi
export LD_LIBRARY_PATH="$cuda/lib64:$(dirname "$cudnn")/lib:${LD_LIBRARY_PATH:-}"
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -n 1 | tr -d .)
arch=$capability
[[ $arch == 90 ]] && arch=90a
make=(make -f tests/gpu/Makefile "OUT=$out" "ARCH=$arch" "CUDA=$cuda" "CUDNN=$cudnn")

part_build() {
  check build 420 "${make[@]}" "-j$(nproc)" all
}
part_ops() {
  local test
  for test in $("${make[@]}" -s list | grep '_test$' | grep -v -e engine -e attention); do
    check "$test" 120 "$out/bin/$test"
  done
}
part_attention() {
  check attention_test 240 "$out/bin/attention_test"
}
part_engine() {
  check engine_test 240 "$out/bin/engine_test"
}
# Looks for bad and racing accesses where the tool exists.
part_sanitize() {
  local sanitizer=$cuda/bin/compute-sanitizer tool
  if [[ ! -x $sanitizer ]]; then
    table+=("absent   compute-sanitizer")
    return
  fi
  for tool in memcheck racecheck; do
    check "sanitize-$tool" 120 "$sanitizer" --tool $tool --error-exitcode 9 \
      "$out/bin/elementwise_test" --gtest_filter='*Add*:*Geglu*'
  done
}
# Measures attention beside cuDNN's in the same run, then the engine with
# Stable Diffusion 1.5's sizes at 512x512 and XL's at 1024x1024.
part_bench() {
  local variant kind
  # Of one row of a UNet call.
  local -A tflop=([sd15]=0.803 [sdxl]=6.761)
  for variant in mma hopper; do
    [[ $variant == hopper && $arch != 90a ]] && continue
    check "attention_bench-$variant" 120 "$out/bin/attention_bench" \
      --variant=$variant
    tail -n 20 "$out/log/attention_bench-$variant.txt"
  done
  for kind in sd15 sdxl; do
    [[ -e $out/$kind/model_index.json ]] ||
      check "$kind-model" 240 python3 tests/gpu/make_random_model.py \
        deploy/local/models/emoji-sd "$out/$kind" $kind
    check "engine_bench-$kind" 300 "$out/bin/engine_bench" "$out/$kind" 20 \
      "${tflop[$kind]}"
    tail -n 12 "$out/log/engine_bench-$kind.txt"
  done
  # PyTorch, and diffusers with a compiled UNet, are peers where they are there.
  if python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' \
      2> /dev/null; then
    check torch_bench 300 python3 tests/gpu/torch_bench.py "$out/sd15"
    tail -n 20 "$out/log/torch_bench.txt"
  else
    table+=("absent   torch with a device")
  fi
}

describe | tee "$out/log/machine.txt"
for part in "${all[@]}"; do
  if (( ${#parts[@]} > 0 )); then
    [[ " ${parts[*]} " == *" $part "* ]] || continue
  elif [[ -e $out/done/$part ]]; then
    table+=("ok       $part  (before)")
    continue
  fi
  before=$failed
  failed=0
  "part_$part"
  (( failed == 0 )) && touch "$out/done/$part"
  (( failed |= before ))
done
for part in "${parts[@]}"; do
  [[ " ${all[*]} " == *" $part "* ]] || { echo "run.sh: no such part: $part" >&2; failed=1; }
done
echo
printf '%s\n' "${table[@]}" | tee "$out/log/table.txt"
exit $failed
