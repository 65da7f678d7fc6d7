"""LoRAs are pushed, listed and removed; the coordinator dies by kill -9 while
they are pushed.

TESSERA_E2E_PUSHES changes how many.
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
PUSHES = int(os.environ.get("TESSERA_E2E_PUSHES", "12"))
SEED = 11


def lora_file(path, number, rank=512, width=320):
    """Writes a valid LoRA of some megabytes that no other number has."""
    key = ("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn%d_"
           "to_q.%s")
    tensors, at = {"__metadata__": {"number": str(number)}}, 0
    for attention in (1, 2):
        for part, shape in (("lora_down.weight", [rank, width]),
                            ("lora_up.weight", [width, rank]),
                            ("alpha", [])):
            size = 4
            for length in shape:
                size *= length
            tensors[key % (attention, part)] = {
                "dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
            at += size
    header = json.dumps(tensors).encode()
    value = struct.pack("<f", 1 + number / 1000)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(header)) + header + value * (at // 4))
    return path


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class LoraRegistryTest(service.ServiceTest):

    def lora(self, *words):
        return self.tessera("--coordinator", self.address, "lora", *words)

    def listed(self):
        """What is registered: {name: digest}."""
        code, text = self.lora("list", "--json")
        self.assertEqual(code, 0, text)
        rows = [json.loads(line) for line in text.splitlines()]
        return {row["name"]: row["sha256"] for row in rows}

    def blobs(self):
        """The files of the registry: {name of the file: its digest}."""
        folder = os.path.join(self.path("data"), "blobs")
        return {name: digest(os.path.join(folder, name))
                for name in os.listdir(folder)
                if os.path.isfile(os.path.join(folder, name))}

    def test_real_loras_are_pushed_listed_and_removed(self):
        self.start_coordinator()
        wanted = {}
        for name in ("ink-kohya", "ink-peft", "pixel-kohya", "pixel-peft"):
            path = os.path.join(LORAS, name + ".safetensors")
            code, text = self.lora("push", name, path)
            self.assertEqual(code, 0, text)
            wanted[name] = digest(path)
            self.assertTrue(text.endswith(f"{name}@{wanted[name]}\n"), text)
        self.assertEqual(self.listed(), wanted)

        code, text = self.lora("push", "ink-kohya",
                               os.path.join(LORAS, "ink-peft.safetensors"))
        self.assertEqual(code, 0, text)
        self.assertEqual(self.listed()["ink-kohya"], wanted["ink-peft"])
        code, text = self.lora("rm", "ink-kohya@" + wanted["ink-peft"])
        self.assertEqual(code, 0, text)
        self.assertEqual(self.listed(), wanted)

        self.assertEqual(self.lora("rm", "pixel-peft")[0], 0)
        self.assertEqual(self.lora("rm", "pixel-peft")[0], 2)
        del wanted["pixel-peft"]
        self.assertEqual(self.listed(), wanted)
        self.assertEqual(set(self.blobs()), set(wanted.values()))

    def test_what_is_no_lora_is_refused_and_leaves_nothing(self):
        self.start_coordinator()
        with open(os.path.join(LORAS, "ink-kohya.safetensors"), "rb") as file:
            good = file.read()
        bad = {"truncated": good[:-1], "empty": b"", "text": b"not a LoRA",
               "pickle": b"\x80\x02}q\x00." + good[:1000],
               "nan": good[:-4] + struct.pack("<f", float("nan"))}
        for name, data in bad.items():
            with self.subTest(name=name):
                with open(self.path(name), "wb") as file:
                    file.write(data)
                code, text = self.lora("push", "x", self.path(name))
                self.assertEqual(code, 2, text)
                self.assertNotIn("blobs", text)
        for name in ("a/b", "..", ".x", "x" * 129):
            path = os.path.join(LORAS, "ink-kohya.safetensors")
            code, text = self.lora("push", name, path)
            self.assertEqual(code, 2, text)
            self.assertIn("name: must be", text)
        self.assertEqual(self.listed(), {})
        self.assertEqual(self.blobs(), {})

    def test_every_push_arrives_whoever_dies(self):
        random_source = random.Random(SEED)
        coordinator = self.start_coordinator()
        wanted = {}
        for number in range(PUSHES):
            path = lora_file(self.path(f"{number}.safetensors"), number)
            wanted[f"lora-{number}"] = digest(path)
            push = self.start("push.log", service.program("tessera"),
                              "--coordinator", self.address, "lora", "push",
                              f"lora-{number}", path)
            time.sleep(random_source.uniform(0, 0.06))
            self.stop(coordinator, signal.SIGKILL)
            # What a kill leaves must not look like a blob that it is not.
            for name, found in self.blobs().items():
                self.assertEqual(name, found)
            coordinator = self.start_coordinator()
            self.assertEqual(push.wait(service.LONG), 0, self.read("push.log"))
            os.remove(path)

        self.stop(coordinator, signal.SIGKILL)
        self.start_coordinator()
        self.assertEqual(self.listed(), wanted)
        self.assertEqual(set(self.blobs()), set(wanted.values()))


if __name__ == "__main__":
    unittest.main()
