"""Workers and the coordinator die by kill -9 in the middle of a job.

TESSERA_E2E_WORKER_KILLS and TESSERA_E2E_COORDINATOR_KILLS change how often.
"""
import os
import random
import signal
import time
import unittest

import service

WORKER_KILLS = int(os.environ.get("TESSERA_E2E_WORKER_KILLS", "3"))
COORDINATOR_KILLS = int(os.environ.get("TESSERA_E2E_COORDINATOR_KILLS", "2"))
PICTURES = 40
SEED = 7


class KillTest(service.ServiceTest):

    def test_every_item_is_there_once_whoever_dies(self):
        lines = service.prompt_lines(PICTURES, steps=20)
        prompts = self.write_prompts(lines)
        random_source = random.Random(SEED)
        coordinator = self.start_coordinator()
        workers = [self.start_worker("worker-0"), self.start_worker("worker-1")]
        submit = self.start_submit(prompts, "--shard-size", "4")
        kills = ["worker"] * WORKER_KILLS + ["coordinator"] * COORDINATOR_KILLS
        random_source.shuffle(kills)
        done = 0

        # A kill after every so many pictures, so that all happen in the job.
        share = PICTURES // (len(kills) + 1)
        for number, victim in enumerate(kills):
            target = min(number * share + 1, PICTURES - 2)
            service.wait_until(
                lambda at=target: self.pictures() >= at
                or submit.poll() is not None, "pictures")
            self.assertIsNone(submit.poll(), self.read("submit.log"))
            time.sleep(random_source.uniform(0, 0.2))
            if victim == "coordinator":
                self.stop(coordinator, signal.SIGKILL)
                coordinator = self.start_coordinator()
            else:
                index = random_source.randrange(2)
                self.stop(workers[index], signal.SIGKILL)
                workers[index] = self.start_worker(f"worker-{index}")
            done += 1

        self.assertEqual(submit.wait(service.LONG), 0, self.read("submit.log"))
        self.assertEqual(done, len(kills))
        service.check_output(self.path("out"), lines)
        job, = self.jobs()
        self.assertEqual(job["state"], "SUCCEEDED")
        self.assertEqual(job["images"]["done"], PICTURES)
        # The store outlives one more restart.
        self.assertEqual(self.stop(coordinator), 0)
        self.start_coordinator()
        self.assertEqual(self.jobs()[0]["images"], job["images"])

    def test_submit_waits_for_a_coordinator_that_comes_late(self):
        lines = service.prompt_lines(2, steps=1)
        submit = self.start_submit(self.write_prompts(lines))
        service.wait_until(lambda: "does not answer" in self.read("submit.log"),
                           "the client says that it waits")
        self.start_coordinator()
        self.start_worker("worker-0")

        self.assertEqual(submit.wait(service.LONG), 0, self.read("submit.log"))
        service.check_output(self.path("out"), lines)
        self.assertEqual(len(self.jobs()), 1)


if __name__ == "__main__":
    unittest.main()
