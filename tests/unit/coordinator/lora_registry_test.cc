#include "coordinator/lora_registry.h"

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"

namespace tessera::coordinator {
namespace {

using ::tessera::testing::IsOk;
using ::tessera::testing::IsOkAndHolds;
using ::tessera::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kDay1 = absl::FromUnixSeconds(86400);
const absl::Time kDay2 = kDay1 + absl::Hours(24);

Lora MakeLora(const std::string& name, const std::string& sha256) {
  return {.name = name, .sha256 = sha256, .size_bytes = 10};
}

// Returns the digest that `name` means; empty when it is unknown.
std::string Meaning(const LoraRegistry& registry, const LoraName& name) {
  const Lora* const lora = registry.Find(name);
  return lora == nullptr ? std::string() : lora->sha256;
}

std::vector<std::string> Names(const std::vector<const Lora*>& loras) {
  std::vector<std::string> names;
  for (const Lora* lora : loras) names.push_back(lora->name);
  return names;
}

TEST(LoraRegistryTest, BareNameMeansTheNewestVersion) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  registry.Put(MakeLora("ink", "bb"), kDay2);

  EXPECT_EQ(Meaning(registry, {"ink", ""}), "bb");
  EXPECT_EQ(Meaning(registry, {"ink", "aa"}), "aa");
  EXPECT_EQ(Meaning(registry, {"ink", "cc"}), "");
  EXPECT_EQ(Meaning(registry, {"Ink", ""}), "");
}

TEST(LoraRegistryTest, RepeatedPushOfTheNewestChangesNothing) {
  LoraRegistry registry;
  const int64_t number = registry.Put(MakeLora("ink", "aa"), kDay1).number;

  const Lora& again = registry.Put(MakeLora("ink", "aa"), kDay2);

  EXPECT_EQ(again.number, number);
  EXPECT_EQ(again.create_time, kDay1);
}

TEST(LoraRegistryTest, OlderVersionPushedAgainIsTheNewest) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  const int64_t second = registry.Put(MakeLora("ink", "bb"), kDay1).number;

  const Lora& again = registry.Put(MakeLora("ink", "aa"), kDay2);

  EXPECT_GT(again.number, second);
  EXPECT_EQ(again.create_time, kDay1);
  EXPECT_EQ(Meaning(registry, {"ink", ""}), "aa");
  EXPECT_EQ(Meaning(registry, {"ink", "bb"}), "bb");
}

TEST(LoraRegistryTest, ListsTheNewestOfEachNameInOrder) {
  LoraRegistry registry;
  for (const char* name : {"pixel", "ink", "Zed", "oil"}) {
    registry.Put(MakeLora(name, "aa"), kDay1);
    registry.Put(MakeLora(name, "bb"), kDay2);
  }

  EXPECT_THAT(Names(registry.List("", 3)), ElementsAre("Zed", "ink", "oil"));
  EXPECT_THAT(Names(registry.List("oil", 3)), ElementsAre("pixel"));
  EXPECT_THAT(Names(registry.List("j", 1)), ElementsAre("oil"));
  EXPECT_THAT(Names(registry.List("pixel", 3)), IsEmpty());
  EXPECT_EQ(registry.List("", 1)[0]->sha256, "bb");
  EXPECT_EQ(registry.names(), 4);
}

TEST(LoraRegistryTest, BytesOfAFileCountOnce) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  registry.Put(MakeLora("tusche", "aa"), kDay1);
  registry.Put(MakeLora("ink", "bb"), kDay1);
  EXPECT_EQ(registry.bytes(), 20);

  registry.Remove({"ink", "aa"});
  EXPECT_EQ(registry.bytes(), 20);
  EXPECT_NE(registry.FindFile("aa"), nullptr);

  registry.Remove({"tusche", "aa"});
  EXPECT_EQ(registry.bytes(), 10);
  EXPECT_EQ(registry.FindFile("aa"), nullptr);
}

TEST(LoraRegistryTest, DeletingANameRemovesAllItsVersions) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  registry.Put(MakeLora("ink", "bb"), kDay1);
  registry.Put(MakeLora("oil", "aa"), kDay1);

  EXPECT_THAT(
      registry.CheckDelete({"ink", ""}),
      IsOkAndHolds(ElementsAre(LoraPin{"ink", "aa"}, LoraPin{"ink", "bb"})));
  EXPECT_THAT(registry.CheckDelete({"ink", "bb"}),
              IsOkAndHolds(ElementsAre(LoraPin{"ink", "bb"})));
}

TEST(LoraRegistryTest, OlderVersionIsMeantWhenTheNewestIsDeleted) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  registry.Put(MakeLora("ink", "bb"), kDay1);

  registry.Remove({"ink", "bb"});
  EXPECT_EQ(Meaning(registry, {"ink", ""}), "aa");

  registry.Remove({"ink", "aa"});
  EXPECT_EQ(Meaning(registry, {"ink", ""}), "");
  EXPECT_EQ(registry.names(), 0);
}

TEST(LoraRegistryTest, UnknownNamesCannotBeDeleted) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);

  EXPECT_THAT(
      registry.CheckDelete({"oil", ""}),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("unknown LoRA: oil")));
  EXPECT_THAT(registry.CheckDelete({"ink", "bb"}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("ink@bb")));
}

TEST(LoraRegistryTest, AUsedVersionKeepsItselfAndItsName) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  registry.Put(MakeLora("ink", "bb"), kDay1);
  registry.Use({"ink", "aa"});
  registry.Use({"ink", "aa"});

  EXPECT_THAT(
      registry.CheckDelete({"ink", ""}),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("ink@aa")));
  EXPECT_THAT(registry.CheckDelete({"ink", "aa"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(registry.CheckDelete({"ink", "bb"}), IsOk());

  registry.Release({"ink", "aa"});
  EXPECT_TRUE(registry.InUse({"ink", "aa"}));
  registry.Release({"ink", "aa"});
  EXPECT_FALSE(registry.InUse({"ink", "aa"}));
  EXPECT_THAT(registry.CheckDelete({"ink", ""}), IsOk());
}

TEST(LoraRegistryTest, UseOfOneNameDoesNotHoldAnother) {
  LoraRegistry registry;
  registry.Put(MakeLora("ink", "aa"), kDay1);
  registry.Put(MakeLora("tusche", "aa"), kDay1);
  registry.Use({"ink", "aa"});

  EXPECT_THAT(registry.CheckDelete({"tusche", ""}), IsOk());
}

TEST(LoraRegistryTest, LoadedRowsKeepTheirOrderAndNumbersGoOn) {
  LoraRegistry registry;
  registry.Put(MakeLora("gone", "cc"), kDay1);
  registry.Use({"gone", "cc"});
  Lora first = MakeLora("ink", "aa"), second = MakeLora("ink", "bb");
  first.number = 7;
  second.number = 9;

  registry.Load({first, second});

  EXPECT_EQ(Meaning(registry, {"ink", ""}), "bb");
  EXPECT_EQ(registry.Find({"gone", ""}), nullptr);
  EXPECT_FALSE(registry.InUse({"gone", "cc"}));
  EXPECT_EQ(registry.bytes(), 20);
  EXPECT_EQ(registry.Put(MakeLora("ink", "aa"), kDay2).number, 10);
}

}  // namespace
}  // namespace tessera::coordinator
