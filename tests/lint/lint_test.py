"""Tests of the checks in this folder on small good and bad trees."""
import pathlib
import sys
import tempfile
import unittest

import check_clock
import check_documents
import check_file_size
import check_format
import check_headers
import check_layers
import check_metrics

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import list_skipped  # noqa: E402


class Tree(unittest.TestCase):
    """A test with a folder of its own and a way to fill it."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.addCleanup(self._folder.cleanup)
        self.root = pathlib.Path(self._folder.name)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


class LayersTest(Tree):
    def problems(self, path, include):
        self.write(path, f"#include {include}\n")
        return check_layers.check(self.root)

    def test_modules_may_include_what_is_below_them(self):
        for path, include in [
                ("kernels/ops/gemm.h", '"kernels/tensor.h"'),
                ("kernels/cpu/gemm.cc", "<hwy/highway.h>"),
                ("kernels/backends.cc", '"kernels/cpu/cpu_device.h"'),
                ("worker/model/unet.cc", '"kernels/ops/gemm.h"'),
                ("worker/worker_main.cc", '"grpcpp/grpcpp.h"'),
                ("coordinator/store/sqlite_job_store.cc", "<sqlite3.h>"),
                ("coordinator/service/codec.cc", '"tessera/v1/job.pb.h"'),
                ("coordinator/coordinator.cc", '"absl/strings/str_cat.h"'),
                ("coordinator/coordinator_main.cc",
                 '"worker/lora/inspect.h"'),
                ("client/client.cc", '"common/rpc/channel.h"'),
                ("tests/unit/worker/a_test.cc", '"worker/session.h"')]:
            with self.subTest(path=path):
                self.assertEqual(self.problems(path, include), [])

    def test_modules_may_not_include_what_is_above_or_beside_them(self):
        for path, include in [
                ("common/log.cc", '"kernels/tensor.h"'),
                ("common/rpc/status.cc", '"tessera/v1/job.pb.h"'),
                ("kernels/tensor.cc", '"kernels/cpu/thread_pool.h"'),
                ("kernels/cpu/gemm.cc", '"kernels/cuda/runtime.h"'),
                ("kernels/ops/gemm.cc", "<cuda_runtime.h>"),
                ("worker/model/unet.cc", '"worker/lora/adapter.h"'),
                ("worker/model/unet.cc", '"tessera/v1/job.pb.h"'),
                ("worker/session.cc", "<grpcpp/grpcpp.h>"),
                ("worker/session.cc", '"coordinator/job.h"'),
                ("coordinator/coordinator.cc", "<sqlite3.h>"),
                ("coordinator/coordinator.cc", '"tessera/v1/job.pb.h"'),
                ("coordinator/store/memory_job_store.cc",
                 '"coordinator/coordinator.h"'),
                ("coordinator/service/codec.cc",
                 '"coordinator/store/job_store.h"'),
                ("coordinator/server.cc", '"worker/lora/inspect.h"'),
                ("coordinator/coordinator_main.cc",
                 '"worker/lora/node_cache.h"'),
                ("client/client.cc", '"worker/session.h"'),
                ("client/client.cc", '"tests/support/fake_clock.h"')]:
            with self.subTest(path=path, include=include):
                self.assertEqual(len(self.problems(path, include)), 1)
                (self.root / path).unlink()

    def test_public_api_may_not_import_the_internal_protocol(self):
        line = 'import "tessera/internal/v1/shard.proto";\n'
        self.write("proto/tessera/v1/job.proto", line)
        self.write("proto/tessera/internal/v1/worker_service.proto", line)

        self.assertEqual(len(check_layers.check(self.root)), 1)


class FileSizeTest(Tree):
    def test_long_files_are_named(self):
        self.write("kernels/long.cc", "\n" * 401)
        self.write("kernels/fits.cc", "\n" * 400)
        self.write("tests/kernels/fits_test.cc", "\n" * 500)

        problems = check_file_size.check(self.root)

        self.assertEqual(problems, ["kernels/long.cc: 401 lines, at most 400"])


class ClockTest(Tree):
    def test_wall_clock_and_sleeps_are_found(self):
        for line in ("absl::Time t = absl::Now();", "absl::SleepFor(d);",
                     "std::this_thread::sleep_for(1ms);", "usleep(5);",
                     "std::chrono::system_clock::now();", "::sleep(1);"):
            with self.subTest(line=line):
                self.write("worker/a.cc", line + "\n")
                self.assertEqual(len(check_clock.check(self.root)), 1)

    def test_clock_comments_and_measurements_pass(self):
        self.write("common/clock.cc", "return absl::Now();\n")
        self.write("worker/a.cc", "// absl::Now() is banned\n"
                   "auto t = std::chrono::steady_clock::now();\n"
                   "c.set_deadline(std::chrono::system_clock::now() + t);\n"
                   "policy.sleep(3);\n")

        self.assertEqual(check_clock.check(self.root), [])


class HeadersTest(Tree):
    GOOD = ("// What it is.\n#ifndef TESSERA_KERNELS_SHAPE_H_\n"
            "#define TESSERA_KERNELS_SHAPE_H_\n\n"
            "#endif  // TESSERA_KERNELS_SHAPE_H_\n")

    def test_guarded_and_owned_header_passes(self):
        self.write("kernels/shape.h", self.GOOD)
        self.write("kernels/CMakeLists.txt",
                   "tessera_library(kernels HDRS shape.h)")

        self.assertEqual(check_headers.check(self.root), [])

    def test_header_owned_by_a_folder_above_passes(self):
        text = self.GOOD.replace("SHAPE", "OPS_GEMM")
        self.write("kernels/ops/gemm.h", text)
        self.write("kernels/CMakeLists.txt",
                   "tessera_library(kernels HDRS ops/gemm.h)")

        self.assertEqual(check_headers.check(self.root), [])

    def test_orphan_header_is_found(self):
        self.write("kernels/shape.h", self.GOOD)
        self.write("kernels/CMakeLists.txt", "add_library(k reshape.h)")

        self.assertEqual(check_headers.check(self.root),
                         ["kernels/shape.h: no CMake target lists it"])

    def test_wrong_guard_is_found(self):
        self.write("kernels/shape.h", self.GOOD.replace("SHAPE", "FORM"))
        self.write("kernels/CMakeLists.txt", "add_library(k shape.h)")

        self.assertEqual(len(check_headers.check(self.root)), 1)

    def test_drawer_names_using_namespace_and_notes_are_found(self):
        note = "TO" + "DO"
        self.write("worker/string_utils.cc",
                   f"using namespace std;\nint x;  // {note}: later\n")

        self.assertEqual(len(check_headers.check(self.root)), 3)


class MetricsTest(Tree):
    def problems(self, declaration, documented=""):
        self.write("worker/metrics.cc", declaration)
        self.write("docs/operations.md", documented)
        return check_metrics.check(self.root)

    def test_declared_and_documented_metric_passes(self):
        self.assertEqual(self.problems(
            'r.Counter("tessera_images_total",\n  "Pictures "\n  "made.");',
            "`tessera_images_total`"), [])

    def test_bad_names_and_help_are_found(self):
        for name, help_text in [("images_total", "Pictures finished."),
                                ("tessera_images", "Pictures finished."),
                                ("tessera_Images_total", "Pictures done."),
                                ("tessera_images_total", "pictures"),
                                ("tessera_images_total", "")]:
            with self.subTest(name=name, help=help_text):
                problems = self.problems(
                    f'r.Counter("{name}", "{help_text}");', f"`{name}`")
                self.assertGreaterEqual(len(problems), 1)

    def test_second_declaration_is_found(self):
        line = 'r.Counter("tessera_images_total", "Pictures made.");\n'
        self.assertEqual(
            self.problems(line + line, "tessera_images_total"),
            ["worker/metrics.cc: tessera_images_total: declared twice"])

    def test_undocumented_and_unknown_metrics_are_found(self):
        self.write("deploy/alerts.yml", "expr: tessera_gone_total > 0\n")
        problems = self.problems(
            'r.Histogram("tessera_call_seconds", "Time of a call.");',
            "`tessera_other_total`")
        self.assertEqual(len(problems), 3)

    def test_parts_of_a_histogram_may_be_used(self):
        self.write("deploy/alerts.yml", "expr: tessera_call_seconds_bucket\n")
        self.assertEqual(self.problems(
            'r.Histogram("tessera_call_seconds", "Time of a call.");',
            "`tessera_call_seconds`"), [])

    def test_declaration_elsewhere_is_found(self):
        self.write("worker/session.cc",
                   'r.Counter("tessera_a_total", "Counts things.");')
        self.write("docs/operations.md", "tessera_a_total")
        self.assertEqual(len(check_metrics.check(self.root)), 1)


class DocumentsTest(Tree):
    def setUp(self):
        super().setUp()
        for folder in check_documents.FOLDERS:
            self.write(f"{folder}/README.md", "What it is.\n")
        self.write("kernels/tensor.h", "")

    def problems(self, text):
        self.write("docs/page.md", text)
        return check_documents.check(self.root)

    def test_living_links_and_paths_pass(self):
        self.assertEqual(self.problems(
            "[a](../kernels/tensor.h) `kernels/tensor` `kernels/tensor.h`\n"
            "`kernels/<op>.cc` `build/dev` [b](https://example.com/x)\n"
            "```\n`kernels/gone.h`\n```\n"), [])

    def test_dead_links_and_paths_are_found(self):
        problems = self.problems("[a](gone.md) `kernels/gone.h`\n")
        self.assertEqual(problems,
                         ["docs/page.md:1: gone.md does not exist",
                          "docs/page.md:1: kernels/gone.h does not exist"])

    def test_missing_and_long_readmes_are_found(self):
        self.write("worker/README.md", "\n" * 41)
        (self.root / "client/README.md").unlink()
        self.assertEqual(len(check_documents.check(self.root)), 2)


class ListSkippedTest(unittest.TestCase):
    def test_skipped_tests_are_listed_with_their_reasons(self):
        log = ["1/2 Testing: kernels_test", "[ RUN      ] GemmTest.Wide",
               "/src/gemm_test.cc:10: Skipped", "no AVX-512 here", "",
               "[  SKIPPED ] GemmTest.Wide (0 ms)",
               "[ RUN      ] GemmTest.Narrow",
               "[       OK ] GemmTest.Narrow (0 ms)",
               "[  SKIPPED ] 1 test, listed below:",
               "[  SKIPPED ] GemmTest.Wide",
               "2/2 Testing: lint_format", "skipped: no clang-format 14 here"]

        self.assertEqual(list_skipped.skipped(log), [
            ("GemmTest.Wide", "no AVX-512 here"),
            ("lint_format", "no clang-format 14 here")])

    def test_skipped_tests_of_python_are_listed(self):
        log = ["1/1 Testing: helm_deploy_test",
               "test_image (__main__.ImageTest.test_image) ... skipped "
               "'only root may use chroot'",
               "test_units (__main__.SystemdTest.test_units)",
               "Copies of the units. ... skipped \"no systemd-analyze\"",
               "test_flags (__main__.ComposeTest.test_flags) ... ok"]

        self.assertEqual(list_skipped.skipped(log), [
            ("helm_deploy_test: test_image", "only root may use chroot"),
            ("helm_deploy_test: Copies of the units.",
             "no systemd-analyze")])


class FormatTest(Tree):
    def test_unformatted_file_is_found(self):
        program = check_format.find_program()
        if program is None:
            self.skipTest("no clang-format 14 here")
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("worker/a.cc", "int  x ;\n")
        self.write("worker/b.cc", "int x;\n")

        problems = check_format.check(self.root, program)

        self.assertEqual(problems,
                         ["worker/a.cc:1: run clang-format -i worker/a.cc"])


if __name__ == "__main__":
    unittest.main()
