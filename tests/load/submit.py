#!/usr/bin/env python3
"""Submits one large file of prompts to a coordinator and kills it afterwards.

    tests/load/submit.py build/release/bin --lines 1000000

Prints, as a table: lines a second until the job is durable and queued, beside
the time that Python's json module takes to parse the same lines in the same run
(what a script would do before it stored anything); the coordinator's largest
resident memory; what is stored a line; and how long a restart after kill -9
takes until the job is known again.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

THINGS = ("a red apple", "a penguin on ice", "fire", "a bicycle", "a cactus")


def write_prompts(path, lines):
    """Writes prompts as a synthetic data set has them; returns the bytes."""
    with open(path, "w", encoding="utf-8") as out:
        for i in range(lines):
            out.write(json.dumps({
                "custom_id": f"item-{i:09d}",
                "prompt": f"{THINGS[i % len(THINGS)]}, variation {i}, emoji",
                "negative_prompt": "blurry", "seed": i,
                "num_inference_steps": 20}) + "\n")
    return os.path.getsize(path)


def parse_seconds(path):
    """Seconds that Python takes to read and parse the file."""
    start = time.monotonic()
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            json.loads(line)
    return time.monotonic() - start


def free_address():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{s.getsockname()[1]}"


def peak_mib(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def folder_bytes(folder):
    return sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(folder) for name in names)


class Service:
    """A coordinator and calls of the client."""

    def __init__(self, bin_dir, folder):
        self.bin, self.folder = bin_dir, folder
        self.address = free_address()
        self.process = None

    def start(self):
        """Starts the coordinator; returns the seconds until it answers."""
        start = time.monotonic()
        with open(os.path.join(self.folder, "log"), "a") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "tessera-coordinator"), "--listen",
                 self.address, "--data",
                 os.path.join(self.folder, "data")], stdout=log, stderr=log)
        while self.run("list").returncode != 0:
            if self.process.poll() is not None:
                raise SystemExit(open(os.path.join(self.folder, "log")).read())
            time.sleep(0.01)
        return time.monotonic() - start

    def run(self, *words):
        return subprocess.run(
            [os.path.join(self.bin, "tessera"), "--coordinator", self.address,
             *words], capture_output=True, text=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bin", help="folder of the programs")
    parser.add_argument("--lines", type=int, default=1_000_000)
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="tessera-load-")
    service = Service(arguments.bin, folder)
    try:
        prompts = os.path.join(folder, "prompts.jsonl")
        size = write_prompts(prompts, arguments.lines)
        first = service.start()
        idle = peak_mib(service.process)
        parse = parse_seconds(prompts)
        start = time.monotonic()
        done = service.run("submit", prompts, "--model", "any", "--out",
                           os.path.join(folder, "out"))
        submit = time.monotonic() - start
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        peak = peak_mib(service.process)
        stored = folder_bytes(os.path.join(folder, "data"))
        service.process.send_signal(signal.SIGKILL)
        service.process.wait()
        again = service.start()
        listed = service.run("list", "--json")
        assert f'"total":{arguments.lines}' in listed.stdout.replace(" ", "")
        rows = [
            ("lines, MiB of JSON", f"{arguments.lines:,}, {size / 2**20:.0f}"),
            ("Python json.loads of each line", f"{parse:.2f} s"),
            ("submit until durable and queued", f"{submit:.2f} s"),
            ("lines a second", f"{arguments.lines / submit:,.0f}"),
            ("against parsing in Python", f"{parse / submit:.2f} times"),
            ("coordinator's largest memory", f"{peak:.0f} MiB (idle {idle:.0f})"),
            ("stored a line", f"{stored / arguments.lines:.1f} bytes"),
            ("start with an empty store", f"{first:.2f} s"),
            ("restart after kill -9", f"{again:.2f} s"),
        ]
        print("| what | value |\n|---|---|")
        for what, value in rows:
            print(f"| {what} | {value} |")
    finally:
        if service.process is not None:
            service.process.kill()
            service.process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
