#!/usr/bin/env python3
"""Times diffusers' load_lora_weights on the files that lora_bench reads.

usage: load_lora_weights.py FOLDER, after make_random_model.py FOLDER.
"""
import statistics
import sys
import time

import torch
from diffusers import StableDiffusionPipeline


def main():
    folder = sys.argv[1]
    torch.set_num_threads(2)
    pipeline = StableDiffusionPipeline.from_pretrained(folder + "/model")
    seconds = []
    for k in range(4):
        start = time.perf_counter()
        pipeline.load_lora_weights(folder, adapter_name=f"lora-{k}",
                                   weight_name=f"lora-{k}.safetensors")
        seconds.append(time.perf_counter() - start)
        pipeline.delete_adapters(f"lora-{k}")
    print(f"load_lora_weights: {1e3 * statistics.median(seconds):.0f} ms")


if __name__ == "__main__":
    main()
