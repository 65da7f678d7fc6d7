"""Bad input: a message that names the place, exit code 2, nothing created."""
import os
import shutil
import unittest

import service

OK = '{"prompt":"ok"}\n'

# (second line of the file, what the message must hold)
LINES = [
    ('{"prompt": ', "line 2"),
    ("[1,2]", "line 2"),
    ("17", "line 2"),
    ('{"prompt":"a","promt":"b"}', "promt"),
    ('{"seed":1}', "prompt"),
    ('{"prompt":3}', "prompt"),
    ('{"prompt":"a","width":513}', "width"),
    ('{"prompt":"a","width":1048576}', "width"),
    ('{"prompt":"a","height":0}', "height"),
    ('{"prompt":"a","num_inference_steps":0}', "num_inference_steps"),
    ('{"prompt":"a","num_inference_steps":-5}', "num_inference_steps"),
    ('{"prompt":"a","num_inference_steps":2.5}', "num_inference_steps"),
    ('{"prompt":"a","guidance_scale":"nan"}', "guidance_scale"),
    ('{"prompt":"a","guidance_scale":NaN}', "line 2"),
    ('{"prompt":"a","seed":1e400}', "line 2"),
    ('{"prompt":"a","seed":-1}', "seed"),
    ('{"prompt":"a","seed":18446744073709551616}', "line 2"),
    ('{"prompt":"a","num_images_per_prompt":0}', "num_images_per_prompt"),
    ('{"prompt":"a","sampler":"quantum"}', "sampler"),
    ('{"prompt":"a","custom_id":"../../etc/passwd"}', "custom_id"),
    ('{"prompt":"a","custom_id":".hidden"}', "custom_id"),
    ('{"prompt":"a","custom_id":"%s"}' % ("x" * 65), "custom_id"),
    ('{"prompt":"a","custom_id":"0"}', "custom_id"),
    ('{"prompt":"a","loras":[{"name":"nope"}]}', "nope"),
]


class BadPromptsTest(service.ServiceTest):
    """A coordinator that refuses; no worker is needed."""

    def setUp(self):
        super().setUp()
        self.start_coordinator()

    def refuse(self, data, wanted):
        with open(self.path("p.jsonl"), "wb") as out:
            out.write(data)
        code, said = self.tessera(
            "submit", self.path("p.jsonl"), "--coordinator", self.address,
            "--model", "emoji-sd", "--out", self.path("out"))
        with self.subTest(data=data[:120]):
            self.assertEqual(code, 2, said)
            self.assertIn(wanted, said)
            self.assertIn("p.jsonl: ", said)
            self.assertFalse(os.path.exists(self.path("out")))

    def test_bad_lines_are_refused(self):
        for line, wanted in LINES:
            self.refuse((OK + line + "\n").encode(), wanted)
        self.assertEqual(self.jobs(), [])

    def test_bad_files_are_refused(self):
        self.refuse(b"", "prompts")
        self.refuse(b"\n\n", "prompts")
        self.refuse(b'{"prompt":"\xff\xfe bad"}\n', "UTF-8")
        self.refuse(b'{"prompt":"a","custom_id":"x"}\n'
                    b'{"prompt":"b","custom_id":"x"}\n', "custom_id")
        self.refuse(b'{"prompt":"' + b"a" * (2 << 20) + b'"}\n', "line 1")
        self.assertEqual(self.jobs(), [])


class BadCommandTest(service.ServiceTest):

    def refuse(self, code, wanted, *words):
        got, said = self.tessera(*words)
        with self.subTest(words=words):
            self.assertEqual(got, code, said)
            self.assertIn(wanted, said)

    def refuse_local(self, wanted, prompts, model, *flags):
        self.refuse(2, wanted, "local", prompts, "--model", model,
                    "--workers", "1", "--out", self.path("out"), *flags)
        self.assertFalse(os.path.exists(self.path("out")))

    def copy_model(self, name):
        folder = self.path(name)
        shutil.copytree(service.MODEL, folder)
        return folder

    def test_bad_usage_is_refused(self):
        prompts = self.write_prompts(service.prompt_lines(1))
        file = self.write_prompts([], "file")
        local = ("local", prompts, "--model", service.MODEL)
        self.refuse(2, "did you mean --workers", *local, "--wokers", "2")
        self.refuse(2, "--out", *local)
        self.refuse(2, "--size", *local, "--out", "x", "--size", "513x512")
        self.refuse(2, "--pipeline-stages", *local, "--out", "x",
                    "--workers", "1", "--pipeline-stages", "2")
        self.refuse(2, "not a folder", *local, "--out", file)
        self.refuse_local("nowhere", self.path("nowhere.jsonl"), service.MODEL)
        self.refuse_local("no-such-model", prompts, "/no-such-model")

    def test_damaged_models_are_refused(self):
        prompts = self.write_prompts(service.prompt_lines(1))
        weights = "unet/diffusion_pytorch_model.safetensors"

        cut = self.copy_model("cut")
        os.truncate(os.path.join(cut, weights), 5000)
        self.refuse_local("safetensors", prompts, cut)

        huge = self.copy_model("huge")
        with open(os.path.join(huge, weights), "wb") as file:
            file.write(b"\xff" * 7 + b"\x7f{}")
        self.refuse_local("safetensors", prompts, huge)

        gone = self.copy_model("gone")
        os.remove(os.path.join(gone, "vae/diffusion_pytorch_model.safetensors"))
        self.refuse_local("vae", prompts, gone)

        odd = self.copy_model("odd")
        config = os.path.join(odd, "unet/config.json")
        with open(config, encoding="utf-8") as file:
            text = file.read().replace("UNet2DConditionModel", "NopeModel")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        self.refuse_local("NopeModel", prompts, odd)

    def test_bad_line_of_a_local_job_leaves_no_folder(self):
        prompts = self.write_prompts([{"prompt": "a"}, {"promt": "b"}])
        self.refuse_local("promt", prompts, service.MODEL)

    def test_unreachable_service_exits_with_three(self):
        prompts = self.write_prompts(service.prompt_lines(1))
        away = ("--coordinator", service.free_address(), "--retry-for", "1")
        self.refuse(3, "cannot reach the coordinator", *away, "list")
        self.refuse(3, "cannot reach the coordinator", *away, "submit",
                    prompts, "--model", "m", "--out", self.path("out"))

    def test_port_in_use_is_said(self):
        self.start_coordinator()

        second = self.start_coordinator()

        self.assertNotEqual(second.wait(service.LONG), 0)
        self.assertIn(self.address.rsplit(":", 1)[1],
                      self.read("coordinator.log"))


if __name__ == "__main__":
    unittest.main()
