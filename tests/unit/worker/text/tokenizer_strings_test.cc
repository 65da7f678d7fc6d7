// Holds the tokenizer against the ids that transformers gave awkward texts.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "worker/model/clip_tokenizer.h"

namespace tessera::model {
namespace {

using tessera::testing::IsOk;
using tessera::testing::ReadText;
using tessera::testing::TemporaryFolder;
using tessera::testing::WriteText;
using ::testing::SizeIs;

const std::string kTable =
    TESSERA_SOURCE_DIR "/tests/golden/tokenizer_strings.json";
const std::string kFolder =
    TESSERA_SOURCE_DIR "/deploy/local/models/emoji-sd/tokenizer";

class TokenizerStringsTest : public ::testing::Test {
 protected:
  TokenizerStringsTest()
      : table_(nlohmann::json::parse(ReadText(kTable), nullptr, false)) {}

  // Compares every text of a list of the table.
  void ExpectIdsOf(const std::string& list, const ClipTokenizer& tokenizer) {
    for (const auto& text : table_[list]) {
      EXPECT_EQ(tokenizer.Encode(text["text"].get<std::string>()),
                text["ids"].get<std::vector<int32_t>>())
          << list << ", " << text["name"];
    }
  }

  const nlohmann::json table_;
};

TEST_F(TokenizerStringsTest, TableHoldsEnoughTexts) {
  ASSERT_TRUE(table_.is_object());

  EXPECT_GE(table_["pad_end"].size(), 200u);
  EXPECT_GE(table_["pad_exclamation"].size(), 10u);
}

TEST_F(TokenizerStringsTest, EveryTextHasTheIdsOfTransformers) {
  const auto tokenizer = ClipTokenizer::Load(kFolder, 77);
  ASSERT_THAT(tokenizer, IsOk());

  ExpectIdsOf("pad_end", *tokenizer);
}

TEST_F(TokenizerStringsTest, ExclamationMarkThatPadsIsATokenOfItsOwn) {
  // Stable Diffusion 2 and the second text encoder of XL have such a folder.
  const TemporaryFolder folder;
  for (const std::string name : {"vocab.json", "merges.txt"}) {
    WriteText(folder / name, ReadText(kFolder + "/" + name));
  }
  WriteText(folder / "tokenizer_config.json", R"({"pad_token": "!"})");
  const auto tokenizer = ClipTokenizer::Load(folder.path(), 77);
  ASSERT_THAT(tokenizer, IsOk());

  ExpectIdsOf("pad_exclamation", *tokenizer);
}

TEST_F(TokenizerStringsTest, ShorterLengthCutsAndKeepsTheEnd) {
  const auto tokenizer = ClipTokenizer::Load(kFolder, 8);
  ASSERT_THAT(tokenizer, IsOk());

  for (const auto& text : table_["pad_end"]) {
    const auto full = text["ids"].get<std::vector<int32_t>>();
    const std::vector<int32_t> ids =
        tokenizer->Encode(text["text"].get<std::string>());
    ASSERT_THAT(ids, SizeIs(8));
    // The first seven do not depend on the length; the eighth is the end token
    // either because the text was cut or because that pads.
    EXPECT_EQ(std::vector(ids.begin(), ids.end() - 1),
              std::vector(full.begin(), full.begin() + 7))
        << text["name"];
    EXPECT_EQ(ids.back(), 49407) << text["name"];
  }
}

TEST_F(TokenizerStringsTest, VocabularyOfClipHas49408Ids) {
  const auto tokenizer = ClipTokenizer::Load(kFolder, 77);
  ASSERT_THAT(tokenizer, IsOk());

  EXPECT_EQ(tokenizer->vocab_size(), 49408);
  EXPECT_EQ(tokenizer->length(), 77);
}

}  // namespace
}  // namespace tessera::model
