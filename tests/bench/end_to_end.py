#!/usr/bin/env python3
"""Pictures a second of the whole service, and where the time goes.

usage: end_to_end.py BIN_DIR MODEL_DIR [--pictures 48] [--steps 20]

Starts a coordinator and 1, then 2 workers as real processes on loopback,
submits one job each time and prints a Markdown table: wall time from submit to
sealed manifest, pictures a second, and the workers' busy seconds by stage as
their own metrics report them.
"""
import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

STAGE = re.compile(
    r'^tessera_worker_stage_seconds(?:_sum|_total)\{stage="(\w+)"\} (\S+)', re.M)


def free_address():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{s.getsockname()[1]}"


def wait_until_listening(address):
    host, port = address.rsplit(":", 1)
    for _ in range(400):
        try:
            socket.create_connection((host, int(port)), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"nothing listens on {address}")


def write_prompts(path, pictures, steps):
    things = ["a red apple", "a penguin", "a pizza", "a rocket", "an octopus",
              "a bicycle", "a cactus", "a hamburger"]
    colours = ["white", "black", "blue", "green", "pink", "yellow"]
    with open(path, "w") as out:
        for i in range(pictures):
            prompt = (f"{things[i % len(things)]} on a "
                      f"{colours[i // len(things) % len(colours)]} background")
            out.write(json.dumps({"prompt": prompt, "seed": i,
                                  "num_inference_steps": steps,
                                  "guidance_scale": 5.0}) + "\n")


def scrape_stages(addresses):
    total = {}
    for address in addresses:
        url = f"http://{address}/metrics"
        page = urllib.request.urlopen(url, timeout=10).read().decode()
        for stage, seconds in STAGE.findall(page):
            total[stage] = total.get(stage, 0.0) + float(seconds)
    return total


def run(args, workers, threads):
    program = lambda name: os.path.join(args.bin_dir, name)
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        log = open(os.path.join(folder, "log"), "w")

        def start(name, *flags):
            processes.append(subprocess.Popen(
                [program(name), *flags], stdout=log, stderr=log))

        address, metrics = free_address(), free_address()
        pages = [free_address() for _ in range(workers)]
        try:
            start("tessera-coordinator", "--listen", address, "--store",
                  f"sqlite:{folder}/store.db", "--data", f"{folder}/data",
                  "--metrics-listen", metrics)
            wait_until_listening(address)
            for page in pages:
                start("tessera-worker", "--coordinator", address, "--models",
                      os.path.dirname(os.path.abspath(args.model_dir)),
                      "--device", "cpu", "--threads", str(threads),
                      "--lora-cache", f"{folder}/cache", "--metrics-listen",
                      page)
            for page in pages:
                wait_until_listening(page)
            prompts = os.path.join(folder, "prompts.jsonl")

            def submit(count, out):
                write_prompts(prompts, count, args.steps)
                subprocess.run(
                    [program("tessera"), "--coordinator", address, "submit",
                     prompts, "--model", os.path.basename(args.model_dir),
                     "--out", os.path.join(folder, out), "--shard-size", "8",
                     "--watch"], check=True, stdout=log, stderr=log)

            submit(workers * 8, "warm")  # loads the model
            before = scrape_stages(pages)
            begin = time.monotonic()
            submit(args.pictures, "out")
            wall = time.monotonic() - begin
            after = scrape_stages(pages)
            return wall, {k: v - before.get(k, 0.0) for k, v in after.items()}
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(30)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin_dir")
    parser.add_argument("model_dir")
    parser.add_argument("--pictures", type=int, default=48)
    parser.add_argument("--steps", type=int, default=20)
    args = parser.parse_args()
    args.model_dir = args.model_dir.rstrip("/")
    cores = os.cpu_count() or 1
    rows = []
    for workers in (1, 2):
        threads = max(1, cores // workers)
        rows.append((workers, threads, *run(args, workers, threads)))
    stages = sorted({stage for row in rows for stage in row[3]})
    head = ["workers", "threads each", "wall s", "pictures/s", *[f"{s} s" for s in stages]]
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for workers, threads, wall, split in rows:
        cells = [str(workers), str(threads), f"{wall:.2f}",
                 f"{args.pictures / wall:.2f}",
                 *[f"{split.get(s, 0.0):.2f}" for s in stages]]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
