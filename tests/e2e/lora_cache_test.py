"""LoRAs of the registry reach the pictures through the node's cache, whatever
happens to its files and to the workers that share it.

TESSERA_E2E_KILLS changes how many workers are killed.
"""
import hashlib
import json
import os
import random
import signal
import struct
import time
import unittest

import service

LORAS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "..", "golden", "loras")
FILES = {"ink": "ink-peft.safetensors", "pixel": "pixel-kohya.safetensors"}
KILLS = int(os.environ.get("TESSERA_E2E_KILLS", "6"))
SEED = 5


def lora_path(name):
    return os.path.join(LORAS, FILES[name])


def add_foreign_key(source, target):
    """Copies a LoRA and adds a layer that no model has."""
    with open(source, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    for part, shape in (("lora_down", [1, 4]), ("lora_up", [4, 1])):
        header[f"lora_unet_nowhere.{part}.weight"] = {
            "dtype": "F32", "shape": shape,
            "data_offsets": [len(body), len(body) + 16]}
        body += struct.pack("<4f", 1, 1, 1, 1)
    text = json.dumps(header).encode()
    with open(target, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + body)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def lines_with_loras(count):
    """Prompts with no LoRA, either one, and both."""
    sets = [[], [{"name": "ink", "scale": 0.8}], [{"name": "pixel"}],
            [{"name": "ink"}, {"name": "pixel", "scale": -0.5}]]
    lines = service.prompt_lines(count)
    for number, line in enumerate(lines):
        line["loras"] = sets[number % len(sets)]
    return lines


class LoraCacheTest(service.ServiceTest):

    def start_service(self):
        self.start_coordinator()
        for name in FILES:
            code, text = self.tessera("--coordinator", self.address, "lora",
                                      "push", name, lora_path(name))
            self.assertEqual(code, 0, text)

    def make(self, lines, out):
        """Runs a job; returns its pictures' digests."""
        code, text = self.tessera(
            "--coordinator", self.address, "submit",
            self.write_prompts(lines), "--model",
            os.path.basename(service.MODEL), "--out", self.path(out),
            "--shard-size", "2", "--watch")
        self.assertEqual(code, 0, text)
        self.assertEqual(service.check_output(self.path(out), lines),
                         len(lines))
        return service.digests(self.path(out))

    def cached(self):
        """The entries of the cache: {the digest they are named by: path}."""
        folder = self.path("lora-cache")
        return {name.split(".")[0]: os.path.join(folder, name)
                for name in os.listdir(folder) if name.endswith("safetensors")}

    def check_cache(self):
        self.assertEqual(set(self.cached()),
                         {digest(lora_path(name)) for name in FILES})
        for wanted, path in self.cached().items():
            self.assertEqual(digest(path), wanted)

    def given_pictures(self, lines):
        """The digests of the same pictures with LoRAs given as files."""
        flags = [f"{name}={lora_path(name)}" for name in FILES]
        code, text = self.tessera(
            "local", self.write_prompts(lines, "given.jsonl"), "--model",
            service.MODEL, "--out", self.path("given"), "--threads", "1",
            *[word for flag in flags for word in ("--lora", flag)])
        self.assertEqual(code, 0, text)
        return service.digests(self.path("given"))

    def test_registered_loras_make_the_pictures_that_given_files_make(self):
        lines = lines_with_loras(8)
        self.start_service()
        for name in ("one", "two"):
            self.start_worker(name)

        made = self.make(lines, "out")

        self.check_cache()
        self.assertEqual(made, self.given_pictures(lines))
        plain = service.prompt_lines(8)
        for key, sha256 in self.make(plain, "plain").items():
            number = int(key[0][1:])
            self.assertEqual(sha256 == made[key], not lines[number]["loras"])

    def test_a_damaged_entry_is_replaced(self):
        lines = lines_with_loras(4)
        self.start_service()
        worker = self.start_worker("one")
        made = self.make(lines, "first")
        self.stop(worker, signal.SIGKILL)
        for path in self.cached().values():
            with open(path, "r+b") as file:
                file.seek(1000)
                byte = file.read(1)[0]
                file.seek(1000)
                file.write(bytes([byte ^ 1]))
        self.start_worker("two")

        self.assertEqual(self.make(lines, "second"), made)

        self.check_cache()
        quarantined = os.listdir(self.path("lora-cache/quarantine"))
        self.assertEqual(len(quarantined), 2 * len(FILES), quarantined)

    def test_keys_that_fit_no_layer_fail_or_warn_as_asked(self):
        path = self.path("foreign.safetensors")
        add_foreign_key(lora_path("pixel"), path)
        command = ["local", self.write_prompts(service.prompt_lines(
            2, loras=[{"name": "foreign"}])), "--model", service.MODEL,
            "--threads", "1", "--lora", "foreign=" + path]

        code, text = self.tessera(*command, "--out", self.path("strict"))
        self.assertNotEqual(code, 0, text)
        self.assertIn("nowhere", text)
        code, text = self.tessera(*command, "--out", self.path("out"),
                                  "--allow-unmatched")

        self.assertEqual(code, 0, text)
        with open(self.path("out/job.json"), encoding="utf-8") as file:
            warnings = json.load(file)["warnings"]
        self.assertEqual(len(warnings), 1, warnings)
        self.assertIn("lora foreign: applied without the keys that do not fit",
                      warnings[0])
        self.assertIn("nowhere", warnings[0])
        self.assertEqual(text.count("warning: " + warnings[0]), 1, text)

    def test_killed_workers_leave_a_cache_that_is_right(self):
        lines = lines_with_loras(24)
        random_source = random.Random(SEED)
        self.start_service()
        submit = self.start_submit(self.write_prompts(lines),
                                   "--shard-size", "2")
        workers = [self.start_worker(f"w{i}") for i in range(2)]
        for kill in range(KILLS):
            time.sleep(random_source.uniform(0.1, 1.5))
            self.stop(workers.pop(0), signal.SIGKILL)
            workers.append(self.start_worker(f"w{kill + 2}"))
        self.assertEqual(submit.wait(service.LONG), 0, self.read("submit.log"))

        self.assertEqual(service.check_output(self.path("out"), lines),
                         len(lines))
        self.check_cache()
        self.assertEqual(service.digests(self.path("out")),
                         self.given_pictures(lines))


if __name__ == "__main__":
    unittest.main()
