"""Tests of check_cuda_resources.py on reports in ptxas' own words."""
import unittest

import check_cuda_resources as checked

REPORT = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Z1KILi64EEvv' for 'sm_80'
ptxas info    : Function properties for _Z1KILi64EEvv
    {stack} bytes stack frame, {spills} bytes spill stores, 0 bytes spill loads
ptxas info    : Used {registers} registers, used 1 barriers, 480 bytes cmem[0]
"""


def figures(registers=100, stack=0, spills=0, shared=0):
    return {"K": {"sm_80": {"registers": registers, "stack": stack,
                            "spills": spills, "shared": shared}}}


def problems(measured, warnings=(), compiler="13.0", limit=(100, 0)):
    table = {"compiler": "13.0", "kernels": {"K": {"sm_80": list(limit)}}}
    return checked.check(measured, list(warnings), compiler, table)


class ParseTest(unittest.TestCase):
    def test_reads_figures_of_a_kernel(self):
        report = REPORT.format(stack=8, spills=4, registers=42)
        self.assertEqual(list(checked.parse(report)), [
            ("_Z1KILi64EEvv", "sm_80",
             {"stack": 8, "spills": 4, "registers": 42, "shared": 0})])

    def test_reads_static_shared_memory(self):
        report = REPORT.format(stack=0, spills=0, registers=42).replace(
            "480 bytes cmem[0]", "1024 bytes smem")
        (_, _, found), = checked.parse(report)
        self.assertEqual(found["shared"], 1024)

    def test_reads_warnings_of_performance(self):
        for code in ("C7508", "C7510", "C7520"):
            line = (f"ptxas info    : ({code}) Potential Performance Loss: "
                    "wgmma.mma_async instructions are serialized")
            self.assertEqual(list(checked.parse(line)), [(None, None, line)])

    def test_names_are_short(self):
        self.assertEqual(checked.shorten(
            "void tessera::kernels::cuda::(anonymous namespace)::K<64, "
            "(tessera::kernels::DType)1>(P<int>, long)"), "K<64, f16>")


class CheckTest(unittest.TestCase):
    def test_accepts_what_the_table_says_or_less(self):
        self.assertEqual(problems(figures(100)), [])
        self.assertEqual(problems(figures(90)), [])

    def test_refuses_more_registers_or_shared_memory(self):
        self.assertEqual(len(problems(figures(101))), 1)
        self.assertEqual(len(problems(figures(shared=16))), 1)

    def test_refuses_spills_and_stack_under_any_compiler(self):
        self.assertEqual(len(problems(figures(stack=8, spills=8))), 2)
        self.assertEqual(
            len(problems(figures(stack=8), compiler="12.6")), 1)

    def test_compares_figures_of_its_own_compiler_only(self):
        self.assertEqual(problems(figures(200), compiler="12.6"), [])

    def test_refuses_a_kernel_that_is_not_in_the_table(self):
        unknown = {"New": figures()["K"]}
        self.assertEqual(len(problems(unknown)), 1)

    def test_refuses_warnings(self):
        self.assertEqual(problems(figures(), ["a: (C7510)"]), ["a: (C7510)"])


if __name__ == "__main__":
    unittest.main()
