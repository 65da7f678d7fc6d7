#include "worker/lora/adapter_report.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::lora {
namespace {

using ::tessera::testing::StatusIs;

// Returns a report of a file with `unmatched` keys too many.
AdapterReport Report(int unmatched) {
  AdapterReport report{.file = "a.safetensors",
                       .dialect = "kohya",
                       .keys = 9 + unmatched,
                       .matched_keys = 9,
                       .layers_by_kind = {{"LoHa", 1}, {"LoRA", 2}},
                       .layers_by_net = {{"UNet", 3}},
                       .bytes = 4096};
  for (int i = 0; i < unmatched; ++i) {
    report.unmatched.push_back({absl::StrCat("k", i), "no such layer"});
  }
  return report;
}

TEST(AdapterReportTest, VerdictIsGoodWhenAllMatched) {
  EXPECT_TRUE(VerdictOn(Report(0)).ok());
}

TEST(AdapterReportTest, VerdictNamesCountsDialectAndFirstKeys) {
  EXPECT_THAT(
      VerdictOn(Report(5)),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "a.safetensors: the LoRA does not fit the model: 9 of 14 keys "
               "matched, dialect kohya: k0 (no such layer), k1 (no such "
               "layer), k2 (no such layer) and 2 more"));
}

TEST(AdapterReportTest, VerdictSaysThatTheBaseIsAnother) {
  AdapterReport report = Report(1);
  report.base_mismatch = "the LoRA is for X, the model is Y";

  EXPECT_THAT(VerdictOn(report),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "a.safetensors: the LoRA does not fit the model: 9 of "
                       "10 keys matched, dialect kohya: the LoRA is for X, the "
                       "model is Y: k0 (no such layer)"));
}

TEST(AdapterReportTest, TextListsWhatWasFound) {
  EXPECT_EQ(RenderReport(Report(0), 10),
            "file     a.safetensors\n"
            "dialect  kohya\n"
            "keys     9 of 9 matched\n"
            "layers   3 UNet\n"
            "kinds    1 LoHa, 2 LoRA\n"
            "memory   4096 bytes\n");
}

TEST(AdapterReportTest, TextListsSomeUnmatchedKeys) {
  AdapterReport report = Report(3);
  report.layers_by_kind.clear();
  report.base_mismatch = "the LoRA is for X, the model is Y";

  EXPECT_EQ(RenderReport(report, 2),
            "file     a.safetensors\n"
            "dialect  kohya\n"
            "keys     9 of 12 matched\n"
            "layers   3 UNet\n"
            "kinds    none\n"
            "memory   4096 bytes\n"
            "base     the LoRA is for X, the model is Y\n"
            "unmatched  k0: no such layer\n"
            "unmatched  k1: no such layer\n"
            "unmatched  and 1 more keys\n");
}

}  // namespace
}  // namespace tessera::lora
