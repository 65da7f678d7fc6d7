#!/usr/bin/env python3
"""Measures PyTorch at what our benchmarks measure, on the same GPU.

usage: torch_bench.py [MODEL_FOLDER]

Prints the time of torch's own scaled dot-product attention at the models'
shapes and, where the diffusers package is there, pictures a second of its
pipeline with a compiled UNet in f16, 20 steps with guidance. Exits with 3 and a
reason where there is no torch or no device.
"""
import statistics
import sys
import time

# As in attention_bench.cc: name, n, queries, keys, heads, width of a head.
ATTENTION = [
    ("SD1.5 64x64 self", 16, 4096, 4096, 8, 40),
    ("SD1.5 64x64 cross", 16, 4096, 77, 8, 40),
    ("SD1.5 32x32 self", 16, 1024, 1024, 8, 80),
    ("SD1.5 32x32 cross", 16, 1024, 77, 8, 80),
    ("SD1.5 16x16 self", 16, 256, 256, 8, 160),
    ("SD1.5 8x8 self", 16, 64, 64, 8, 160),
    ("SDXL 64x64 self", 8, 4096, 4096, 10, 64),
    ("SDXL 64x64 cross", 8, 4096, 77, 10, 64),
    ("SDXL 32x32 self", 8, 1024, 1024, 20, 64),
    ("SDXL 32x32 cross", 8, 1024, 77, 20, 64),
    ("head of 128", 4, 4096, 4096, 8, 128),
    ("VAE 64x64", 8, 4096, 4096, 1, 512),
]
RUNS, LAUNCHES = 15, 10
BATCHES = (1, 4, 16)


def attention(torch):
    print(f"{'case':20} {'us':>10} {'TFLOP/s':>9}")
    for name, n, queries, keys, heads, width in ATTENTION:
        def rows(count):
            x = torch.rand(n, count, heads, width, device="cuda") - 0.5
            return x.half().transpose(1, 2)

        q, k, v = rows(queries), rows(keys), rows(keys)
        times = []
        for run in range(RUNS + 2):
            begin = torch.cuda.Event(enable_timing=True)
            end = torch.cuda.Event(enable_timing=True)
            begin.record()
            for _ in range(LAUNCHES):
                torch.nn.functional.scaled_dot_product_attention(q, k, v,
                                                                 scale=0.125)
            end.record()
            end.synchronize()
            if run >= 2:  # two to warm up
                times.append(begin.elapsed_time(end) * 1e-3 / LAUNCHES)
        seconds = statistics.median(times)
        flop = 4 * n * heads * queries * keys * width
        print(f"{name:20} {seconds * 1e6:10.1f} {flop / seconds * 1e-12:9.1f}",
              flush=True)


def pictures(torch, folder):
    try:
        import diffusers
    except ImportError as error:
        print(f"diffusers: absent: {error}")
        return
    # The folder has no encoder of pictures, which the library then makes up.
    pipe = diffusers.DiffusionPipeline.from_pretrained(
        folder, torch_dtype=torch.float16, safety_checker=None,
        low_cpu_mem_usage=False).to("cuda")
    pipe.set_progress_bar_config(disable=True)
    pipe.unet.to(memory_format=torch.channels_last)
    pipe.unet = torch.compile(pipe.unet, mode="max-autotune-no-cudagraphs")
    print(f"diffusers {diffusers.__version__}, {folder}")
    print(f"{'pictures':>8} {'pictures/second':>16}")
    for batch in BATCHES:
        def make(steps):
            pipe(["a red apple"] * batch, num_inference_steps=steps,
                 guidance_scale=7.5)
            torch.cuda.synchronize()

        make(3)
        start = time.monotonic()
        make(20)
        print(f"{batch:8} {batch / (time.monotonic() - start):16.2f}",
              flush=True)


def main():
    try:
        import torch
    except ImportError as error:
        print(f"torch: absent: {error}")
        return 3
    if not torch.cuda.is_available():
        print("torch: no device")
        return 3
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}")
    with torch.inference_mode():
        attention(torch)
        for folder in sys.argv[1:]:
            pictures(torch, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
