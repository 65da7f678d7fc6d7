"""What deploy/ holds: images, the compose file, Prometheus, systemd units.

No container engine is needed: the file system of the images is made by the
script that their builds run, and the programs are run inside it with chroot,
as the images' user. TESSERA_BIN_DIR and TESSERA_MODEL say where the programs
and the model are.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import chart  # noqa: E402
import dashboards  # noqa: E402
import service  # noqa: E402

DEPLOY = chart.ROOT / "deploy"
USER = 65532
PROGRAMS = ("tessera", "tessera-coordinator", "tessera-worker")


def run(*words):
    return subprocess.run([str(w) for w in words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)


@unittest.skipUnless(os.geteuid() == 0, "only root may use chroot")
class ImageTest(service.ServiceTest):

    def make_root(self):
        root = self.path("root")
        made = run(DEPLOY / "docker/make_root.sh", root,
                   *map(service.program, PROGRAMS))
        self.assertEqual(made.returncode, 0, made.stdout)
        for folder in ("data", "output", "cache"):
            os.mkdir(f"{root}/{folder}")
            os.chown(f"{root}/{folder}", USER, USER)
        shutil.copytree(service.MODEL, f"{root}/models/emoji-sd")
        os.chmod(root, 0o755)
        return root

    def inside(self, root, *words):
        return ("chroot", f"--userspec={USER}:{USER}", root, *words)

    def test_programs_make_pictures_inside_the_image(self):
        root = self.make_root()
        shutil.copy(self.write_prompts(service.prompt_lines(3)), f"{root}/p")
        self.start("coordinator.log", *self.inside(
            root, "/usr/bin/tessera-coordinator", f"--listen={self.address}",
            "--data=/data"))
        service.wait_until(lambda: service.listens(self.address), "listens")
        self.start("worker.log", *self.inside(
            root, "/usr/bin/tessera-worker", f"--coordinator={self.address}",
            "--models=/models", "--device=cpu", "--threads=1",
            "--lora-cache=/cache"))
        job = self.start("submit.log", *self.inside(
            root, "/usr/bin/tessera", "submit", "/p", "--model", "emoji-sd",
            "--coordinator", self.address, "--out", "/output/1", "--watch"))

        self.assertEqual(job.wait(service.LONG), 0, self.read("submit.log")
                         + self.read("worker.log"))
        self.assertEqual(service.check_output(
            f"{root}/output/1", service.prompt_lines(3)), 3)

    def test_image_has_no_shell_and_cannot_be_written(self):
        root = self.make_root()

        self.assertEqual(sorted(os.listdir(f"{root}/usr/bin")),
                         sorted(PROGRAMS))
        self.assertTrue(os.path.getsize(
            f"{root}/etc/ssl/certs/ca-certificates.crt"))
        end = run(*self.inside(root, "/usr/bin/tessera-coordinator",
                               "--data=/elsewhere"))
        self.assertEqual(end.returncode, 1)
        self.assertIn("cannot make the folder /elsewhere", end.stdout)

    def test_missing_library_is_named(self):
        end = run(DEPLOY / "docker/make_root.sh", self.path("root"), "--",
                  "/no/such/library.so")
        self.assertNotEqual(end.returncode, 0)
        self.assertIn("/no/such/library.so", end.stdout)


class DockerfileTest(unittest.TestCase):

    def for_each(self, check):
        files = sorted((DEPLOY / "docker").glob("*.Dockerfile"))
        self.assertEqual([f.stem for f in files],
                         ["coordinator", "worker-cpu", "worker-cuda"])
        for path in files:
            with self.subTest(path.stem):
                check(path.stem, path.read_text("utf-8").replace("\\\n", " "))

    def test_last_stage_is_empty_but_for_what_was_made(self):
        def check(_name, text):
            last = text[text.rindex("\nFROM ") + 1:]
            self.assertTrue(last.startswith("FROM scratch\n"))
            self.assertIn(f"\nUSER {USER}:{USER}\n", last)
            self.assertNotIn("\nRUN ", last)
            for label in ("title", "description", "version", "revision"):
                self.assertIn(f"org.opencontainers.image.{label}=", last)

        self.for_each(check)

    def test_version_is_the_chart_s_and_the_project_s(self):
        app = yaml.safe_load((chart.CHART / "Chart.yaml").read_text())
        project = re.search(r"project\(tessera VERSION (\S+)",
                            (chart.ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual(app["appVersion"], project)
        self.for_each(lambda _, text: self.assertIn(
            f"\nARG VERSION={project}\n", text))

    def test_copied_files_exist(self):
        def check(_name, text):
            for words in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.M):
                for path in words.split():
                    self.assertTrue((chart.ROOT / path).exists(), path)
            for path in re.findall(r"/source/(deploy/\S+)", text):
                self.assertTrue((chart.ROOT / path).exists(), path)

        self.for_each(check)

    def test_flags_exist(self):
        def check(name, text):
            program = re.search(r'ENTRYPOINT \["/usr/bin/(.*)"\]', text)[1]
            known = run(service.program(program), "--help").stdout
            flags = re.findall(r'"(--[a-z-]+)=', text)
            self.assertGreater(len(flags), 1, name)
            for flag in flags:
                self.assertRegex(known, rf"(?m)^ *{flag}$")

        self.for_each(check)


class ComposeTest(unittest.TestCase):

    def setUp(self):
        self.file = DEPLOY / "compose.yaml"
        self.services = yaml.safe_load(self.file.read_text())["services"]

    @unittest.skipUnless(shutil.which("docker-compose"),
                         "no docker-compose: install the package")
    def test_docker_compose_accepts_it(self):
        end = run("docker-compose", "-f", self.file, "config", "--quiet")
        self.assertEqual(end.returncode, 0, end.stdout)

    def test_our_services_are_restricted(self):
        for name in ("coordinator", "worker", "client"):
            each = self.services[name]
            self.assertTrue(each["read_only"])
            self.assertEqual(each["cap_drop"], ["ALL"])

    def test_flags_and_files_exist(self):
        for name in ("coordinator", "worker"):
            known = run(service.program(f"tessera-{name}"), "--help").stdout
            for word in self.services[name]["command"]:
                self.assertRegex(known, rf"(?m)^ *{word.split('=')[0]}$")
        for each in self.services.values():
            if "build" in each:
                self.assertTrue(
                    (chart.ROOT / each["build"]["dockerfile"]).is_file())
            for volume in each.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((DEPLOY / source).exists(), source)

    @unittest.skipUnless(shutil.which("promtool"),
                         "no promtool: install prometheus")
    def test_promtool_accepts_the_configuration(self):
        """In the folder that the compose file makes of it."""
        folder = service.tempfile.mkdtemp(prefix="tessera-prometheus-")
        self.addCleanup(shutil.rmtree, folder)
        for volume in self.services["prometheus"]["volumes"]:
            source, target = volume.split(":")[:2]
            if source.startswith("."):
                shutil.copy(DEPLOY / source,
                            f"{folder}/{os.path.basename(target)}")
        end = run("promtool", "check", "config", f"{folder}/prometheus.yml")
        self.assertEqual(end.returncode, 0, end.stdout)
        self.assertIn(f"{len(dashboards.alerts())} rules found", end.stdout)

    def test_grafana_finds_source_and_dashboards(self):
        mounts = dict(v.split(":")[:2] for v in
                      self.services["grafana"]["volumes"])
        targets = {target: source for source, target in mounts.items()}
        folder = DEPLOY / "grafana/provisioning"
        provider = yaml.safe_load(
            (folder / "dashboards/tessera.yaml").read_text())["providers"][0]
        source = yaml.safe_load(
            (folder / "datasources/tessera.yaml").read_text())
        path = provider["options"]["path"]
        self.assertTrue(list((DEPLOY / targets[path]).glob("*.json")))
        self.assertEqual(source["datasources"][0]["url"],
                         "http://prometheus:9090")


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
class SystemdTest(service.ServiceTest):

    def units(self):
        """Copies of the units that name the programs of the build."""
        found = []
        for path in sorted((DEPLOY / "systemd").glob("*.service")):
            text = path.read_text().replace("ExecStart=/usr/bin",
                                            f"ExecStart={service.BIN_DIR}")
            copy = pathlib.Path(self.path(path.name))
            copy.write_text(text)
            found.append(copy)
        self.assertEqual(len(found), 2)
        return found

    def test_systemd_accepts_the_units(self):
        for unit in self.units():
            end = run("systemd-analyze", "verify", "--man=no", unit)
            self.assertEqual((end.returncode, end.stdout), (0, ""))

    def test_units_are_hardened(self):
        for unit in self.units():
            end = run("systemd-analyze", "security", "--offline=true",
                      "--threshold=20", unit)
            self.assertEqual(end.returncode, 0, end.stdout[-300:])

    def test_variables_exist(self):
        for name in ("coordinator", "worker"):
            known = run(service.program(f"tessera-{name}"), "--help").stdout
            text = "".join(p.read_text() for p in
                           (DEPLOY / "systemd").iterdir()
                           if name in p.name)
            variables = re.findall(r"Environment=(TESSERA_\w+)=", text)
            self.assertGreater(len(variables), 2)
            for variable in variables:
                self.assertIn(variable, known)


if __name__ == "__main__":
    unittest.main(verbosity=2)
