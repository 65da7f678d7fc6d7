"""`tessera local`: one command makes every picture, the same bytes each way."""
import json
import os
import unittest

import service


class LocalTest(service.ServiceTest):

    def test_job_is_complete_and_its_bytes_do_not_depend_on_the_setting(self):
        lines = service.prompt_lines(5)
        lines.append({"custom_id": "last", "prompt": "naïve 日本 and a 🍕",
                      "num_images_per_prompt": 2, "num_inference_steps": 3,
                      "sampler": "euler", "seed": 2**64 - 1})
        prompts = self.write_prompts(lines)

        code, said = self.local("a", prompts, "--workers", "2")
        self.assertEqual(code, 0, said)
        self.assertEqual(service.check_output(self.path("a"), lines), 7)

        code, said = self.local("b", prompts, "--workers", "1",
                                "--shard-size", "1", "--threads", "1")
        self.assertEqual(code, 0, said)
        self.assertEqual(service.digests(self.path("a")),
                         service.digests(self.path("b")))

        # A finished job is not written over.
        code, said = self.local("a", prompts)
        self.assertEqual(code, 2, said)
        self.assertIn("already holds a finished job", said)

        code, said = self.tessera("sheet", self.path("a"))
        self.assertEqual(code, 0, said)
        self.assertIn("7 of 7 pictures", said)
        with open(self.path("a/contact-sheet.png"), "rb") as sheet:
            self.assertEqual(next(service.png_chunks(sheet.read()))[0],
                             b"IHDR")

    def test_progress_as_json_ends_with_the_finished_job(self):
        prompts = self.write_prompts(service.prompt_lines(2, steps=2))

        code, said = self.local("out", prompts, "--json", "--workers", "1")

        self.assertEqual(code, 0, said)
        last = json.loads(said.splitlines()[-1])
        self.assertEqual(last["state"], "SUCCEEDED")
        self.assertEqual(last["images"]["done"], 2)

    def test_temporary_folder_goes_and_logs_stay_when_asked_for(self):
        prompts = self.write_prompts(service.prompt_lines(1, steps=1))
        os.mkdir(self.path("tmp"))
        os.environ["TMPDIR"] = self.path("tmp")
        self.addCleanup(os.environ.pop, "TMPDIR")

        code, said = self.local("a", prompts, "--workers", "1")
        self.assertEqual(code, 0, said)
        self.assertEqual(os.listdir(self.path("tmp")), [])

        code, said = self.local("b", prompts, "--workers", "1", "--keep-logs")
        self.assertEqual(code, 0, said)
        kept = os.path.join(self.path("tmp"), *os.listdir(self.path("tmp")))
        self.assertIn("coordinator.log", os.listdir(kept))
        self.assertFalse([n for n in os.listdir(kept) if ".db" in n])


if __name__ == "__main__":
    unittest.main()
