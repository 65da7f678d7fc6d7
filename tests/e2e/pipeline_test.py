"""One UNet over several workers: the same bytes, whoever dies.

TESSERA_E2E_PIPELINE_FAULTS changes how often a worker is killed or stopped.
"""
import os
import random
import signal
import time
import unittest

import service

FAULTS = int(os.environ.get("TESSERA_E2E_PIPELINE_FAULTS", "4"))
PICTURES = 40
SEED = 11
STOPPED = 8  # seconds; longer than a silent member is waited for
REFORMED = 10  # seconds within which pictures go on
LORAS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "..", "golden", "loras")


class PipelineTest(service.ServiceTest):

    def start_stage(self, name):
        """A worker that never loads the whole model."""
        return self.start(
            f"{name}.log", service.program("tessera-worker"),
            "--coordinator", self.address,
            "--models", os.path.dirname(service.MODEL), "--device", "cpu",
            "--threads", "1", "--preload=false",
            "--pipeline-host", "127.0.0.1")

    def test_any_number_of_stages_gives_the_same_bytes(self):
        lines = service.prompt_lines(6)
        lines[1]["loras"] = [{"name": "ink", "scale": 0.8}]
        lines[2]["loras"] = [{"name": "pixel"}, {"name": "ink", "scale": 0.5}]
        lines[3].update(num_inference_steps=2, guidance_scale=1)
        lines[4].update(sampler="euler", num_images_per_prompt=3)
        prompts = self.write_prompts(lines)
        loras = []
        for name, file in (("ink", "ink-peft"), ("pixel", "pixel-kohya")):
            path = os.path.join(LORAS, file + ".safetensors")
            loras += ["--lora", f"{name}={path}"]
        digests = {}

        for stages in (1, 2, 3, 4):
            code, text = self.local(
                f"out{stages}", prompts, *loras, "--workers", str(stages),
                "--pipeline-stages", str(stages), "--threads", "1")
            self.assertEqual(code, 0, text)
            service.check_output(self.path(f"out{stages}"), lines)
            digests[stages] = service.digests(self.path(f"out{stages}"))

        for stages in (2, 3, 4):
            self.assertEqual(digests[stages], digests[1], f"{stages} stages")

    def wait_for_pictures(self, count, submit):
        service.wait_until(lambda: self.pictures() >= count
                           or submit.poll() is not None, "pictures")

    def test_every_item_is_there_once_whoever_dies_or_hangs(self):
        lines = service.prompt_lines(PICTURES, steps=20)
        prompts = self.write_prompts(lines)
        random_source = random.Random(SEED)
        self.start_coordinator()
        workers = [self.start_stage(f"worker-{i}") for i in range(3)]
        submit = self.start_submit(prompts, "--shard-size", "4",
                                   "--pipeline-stages", "2")
        share = PICTURES // (FAULTS + 1)
        for number in range(FAULTS):
            self.wait_for_pictures(number * share + 1, submit)
            self.assertIsNone(submit.poll(), self.read("submit.log"))
            time.sleep(random_source.uniform(0, 0.5))
            index = random_source.randrange(3)
            if number % 2 == 0:
                self.stop(workers[index], signal.SIGKILL)
                workers[index] = self.start_stage(f"worker-{index}")
                continue
            workers[index].send_signal(signal.SIGSTOP)
            # The others, or a new group of them, go on meanwhile.
            count = self.pictures()
            service.wait_until(lambda at=count: self.pictures() > at + 1
                               or submit.poll() is not None,
                               "pictures while a worker is stopped",
                               STOPPED + REFORMED)
            workers[index].send_signal(signal.SIGCONT)

        self.assertEqual(submit.wait(service.LONG), 0, self.read("submit.log"))
        service.check_output(self.path("out"), lines)
        job, = self.jobs()
        self.assertEqual(job["state"], "SUCCEEDED")
        self.assertEqual(job["images"]["done"], PICTURES)

    def test_job_says_how_many_workers_it_waits_for(self):
        self.start_coordinator()
        self.start_stage("worker-0")
        submit = self.start_submit(
            self.write_prompts(service.prompt_lines(1)),
            "--pipeline-stages", "2")

        def message():
            jobs = self.jobs()
            return jobs[0].get("message", "") if jobs else ""
        service.wait_until(
            lambda: "a pipeline of 2 workers" in message()
            and "there are 1" in message(), "the job says what it waits for")
        self.assertIsNone(submit.poll())

        self.start_stage("worker-1")
        self.assertEqual(submit.wait(service.LONG), 0, self.read("submit.log"))


if __name__ == "__main__":
    unittest.main()
