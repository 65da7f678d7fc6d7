"""Runs the real programs on loopback and checks what they leave behind.

TESSERA_BIN_DIR holds the programs, TESSERA_MODEL is a model folder. Only the
standard library is needed.
"""
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import zlib

BIN_DIR = os.environ["TESSERA_BIN_DIR"]
MODEL = os.path.abspath(os.environ["TESSERA_MODEL"])
LONG = 150  # seconds that nothing here takes on two cores

# Few steps: these tests are about processes, not about pictures.
STEPS = 4


def program(name):
    return os.path.join(BIN_DIR, name)


def free_address():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{s.getsockname()[1]}"


def wait_until(condition, what, seconds=LONG):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def listens(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 1).close()
        return True
    except OSError:
        return False


def prompt_lines(count, steps=STEPS, **more):
    things = ["a red apple", "a penguin", "fire", "a bicycle", "a cactus"]
    return [{"custom_id": f"p{i}", "prompt": things[i % len(things)],
             "seed": i, "num_inference_steps": steps, **more}
            for i in range(count)]


def manifest(out):
    with open(os.path.join(out, "manifest.jsonl"), encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def digests(out):
    return {(r["custom_id"], r["index"]): r["sha256"] for r in manifest(out)}


def png_chunks(data):
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), "not a PNG"
    at = 8
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:at + 8], data[at + 8:at + 8 + length]
        at += 12 + length


def check_picture(path, row, prompt):
    """The file is the one the manifest names, not blank, with its text."""
    with open(path, "rb") as file:
        data = file.read()
    assert hashlib.sha256(data).hexdigest() == row["sha256"], f"digest: {path}"
    chunks = list(png_chunks(data))
    header = chunks[0][1]
    size = (int.from_bytes(header[:4], "big"),
            int.from_bytes(header[4:8], "big"))
    assert size == (row["width"], row["height"]), f"size: {path}"
    pixels = zlib.decompress(b"".join(b for t, b in chunks if t == b"IDAT"))
    assert len(set(pixels)) > 16, f"blank: {path}"
    text = b"".join(b for t, b in chunks if t in (b"iTXt", b"tEXt")).decode()
    assert prompt in text and str(row["seed"]) in text, f"text: {path}"


def check_output(out, lines, complete=True):
    """Every item once, in input order, digests true, nothing left over."""
    wanted = [(line["custom_id"], k) for line in lines
              for k in range(line.get("num_images_per_prompt", 1))]
    prompts = {line["custom_id"]: line["prompt"] for line in lines}
    rows = manifest(out)
    found = [(row["custom_id"], row["index"]) for row in rows]
    assert len(set(found)) == len(found), "an item twice"
    if complete:
        assert found == wanted, f"{len(found)} of {len(wanted)}, or order"
    else:
        assert found == [w for w in wanted if w in set(found)], "order"
    for row in rows:
        check_picture(os.path.join(out, row["path"]), row,
                      prompts[row["custom_id"]])
    on_disk = {os.path.relpath(os.path.join(folder, name), out)
               for folder, _, names in os.walk(out) for name in names}
    extra = on_disk - {row["path"] for row in rows} - {
        "manifest.jsonl", "errors.jsonl", "job.json", "contact-sheet.png"}
    assert not extra, f"not in the manifest: {sorted(extra)[:3]}"
    return len(rows)


class ServiceTest(unittest.TestCase):
    """A folder, and processes that end with the test."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tessera-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.processes = []
        self.addCleanup(self.end_all)
        self.address = free_address()

    def end_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return file.read()

    def write_prompts(self, lines, name="prompts.jsonl"):
        with open(self.path(name), "w", encoding="utf-8") as out:
            for line in lines:
                out.write(json.dumps(line) + "\n")
        return self.path(name)

    def start(self, log, *words, **more):
        with open(self.path(log), "a", encoding="utf-8") as out:
            process = subprocess.Popen(words, stdout=out, stderr=out,
                                       stdin=subprocess.DEVNULL, **more)
        self.processes.append(process)
        return process

    def start_coordinator(self, *flags):
        process = self.start(
            "coordinator.log", program("tessera-coordinator"),
            "--listen", self.address,
            "--store", f"sqlite:{self.path('store.db')}",
            "--data", self.path("data"), "--metrics-listen", "127.0.0.1:0",
            *flags)
        wait_until(lambda: listens(self.address) or process.poll() is not None,
                   "coordinator listens")
        return process

    def start_worker(self, name):
        return self.start(
            f"{name}.log", program("tessera-worker"),
            "--coordinator", self.address, "--models", os.path.dirname(MODEL),
            "--device", "cpu", "--threads", "1",
            "--lora-cache", self.path("lora-cache"),
            "--metrics-listen", "127.0.0.1:0")

    def start_submit(self, prompts, *flags):
        return self.start(
            "submit.log", program("tessera"), "--coordinator", self.address,
            "submit", prompts, "--model", os.path.basename(MODEL),
            "--out", self.path("out"), "--watch", *flags)

    def tessera(self, *words):
        """Runs the client to its end: (exit code, everything it printed)."""
        run = subprocess.run([program("tessera"), *words], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             stdin=subprocess.DEVNULL, timeout=LONG,
                             check=False)
        return run.returncode, run.stdout

    def local(self, out, prompts, *flags):
        return self.tessera("local", prompts, "--model", MODEL,
                            "--out", self.path(out), *flags)

    def pictures(self, out="out"):
        """How many finished pictures lie in an output folder."""
        images = os.path.join(self.path(out), "images")
        return sum(name.endswith(".png")
                   for _, _, names in os.walk(images) for name in names)

    def jobs(self):
        code, text = self.tessera("--coordinator", self.address, "list",
                                  "--json")
        self.assertEqual(code, 0, text)
        return [json.loads(line) for line in text.splitlines()]

    def stop(self, process, how=signal.SIGTERM):
        process.send_signal(how)
        return process.wait(LONG)
