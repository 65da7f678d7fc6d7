"""SIGTERM and Ctrl-C: workers drain, `tessera local` cleans up."""
import os
import signal
import unittest

import service


def children(pid):
    """Process ids of the children of a process."""
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as stat:
                if int(stat.read().rsplit(")", 1)[1].split()[1]) == pid:
                    found.append(int(name))
        except (OSError, ValueError):
            continue
    return found


def alive(pid):
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class DrainTest(service.ServiceTest):

    def test_drained_worker_hands_its_shard_to_the_next(self):
        lines = service.prompt_lines(12, steps=20)
        self.start_coordinator()
        first = self.start_worker("worker-0")
        submit = self.start_submit(self.write_prompts(lines), "--shard-size",
                                   "12")
        service.wait_until(lambda: self.pictures() >= 1, "the first picture")

        self.assertEqual(self.stop(first), 0, self.read("worker-0.log"))
        self.assertIsNone(submit.poll())
        job, = self.jobs()
        # What was in flight is committed, the rest went back at once.
        self.assertEqual(job["images"]["done"], self.pictures())
        self.assertEqual(job["retries"], 0)
        self.start_worker("worker-1")

        self.assertEqual(submit.wait(service.LONG), 0, self.read("submit.log"))
        service.check_output(self.path("out"), lines)

    def test_cancelled_job_keeps_its_pictures_and_a_manifest(self):
        lines = service.prompt_lines(30, steps=20)
        self.start_coordinator()
        self.start_worker("worker-0")
        submit = self.start_submit(self.write_prompts(lines), "--shard-size",
                                   "4")
        service.wait_until(lambda: self.pictures() >= 1, "the first picture")

        code, said = self.tessera("--coordinator", self.address, "cancel",
                                  self.jobs()[0]["job_id"])

        self.assertEqual(code, 0, said)
        self.assertEqual(submit.wait(service.LONG), 1)
        service.check_output(self.path("out"), lines, complete=False)
        self.assertGreater(self.jobs()[0]["images"]["cancelled"], 0)


class InterruptTest(service.ServiceTest):

    def interrupt(self, how):
        os.mkdir(self.path("tmp"))
        lines = service.prompt_lines(40, steps=20)
        local = self.start(
            "local.log", service.program("tessera"), "local",
            self.write_prompts(lines), "--model", service.MODEL, "--out",
            self.path("out"), "--shard-size", "4",
            env={**os.environ, "TMPDIR": self.path("tmp")})
        service.wait_until(lambda: self.pictures() >= 1
                           or local.poll() is not None, "the first picture")
        self.assertIsNone(local.poll(), self.read("local.log"))
        family = children(local.pid)
        self.assertEqual(len(family), 3)
        code = self.stop(local, how)
        return lines, family, code

    def check_interrupt(self, how):
        lines, family, code = self.interrupt(how)

        self.assertEqual(code, 130, self.read("local.log"))
        self.assertFalse([p for p in family if alive(p)])
        self.assertEqual(os.listdir(self.path("tmp")), [])
        finished = service.check_output(self.path("out"), lines,
                                        complete=False)
        self.assertGreaterEqual(finished, 1)

    def test_ctrl_c_leaves_finished_pictures_and_no_process(self):
        self.check_interrupt(signal.SIGINT)

    def test_termination_does_the_same(self):
        self.check_interrupt(signal.SIGTERM)

    def test_children_do_not_outlive_a_killed_parent(self):
        _, family, _ = self.interrupt(signal.SIGKILL)

        service.wait_until(
            lambda: not [p for p in family if alive(p)], "the children end",
            20)


if __name__ == "__main__":
    unittest.main()
