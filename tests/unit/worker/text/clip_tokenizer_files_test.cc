// What the tokenizer reads, and what it refuses.
#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/worker/text/byte_vocabulary.h"
#include "worker/model/clip_tokenizer.h"

namespace tessera::model {
namespace {

using tessera::testing::IsOk;
using tessera::testing::StatusIs;
using tessera::testing::TemporaryFolder;
using tessera::testing::WriteText;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr char kEnd[] = "<|endoftext|>";

absl::Status ParseVocabulary(const std::string& json) {
  return ClipTokenizer::Parse(json, "", kEnd, 8).status();
}

absl::Status ParseMerges(const std::string& lines) {
  nlohmann::json vocabulary = ByteVocabulary();
  vocabulary["ab"] = 514;
  return ClipTokenizer::Parse(vocabulary.dump(), lines, kEnd, 8).status();
}

// A folder with a sound vocabulary, no merges and whatever a test adds.
class TokenizerFolderTest : public ::testing::Test {
 protected:
  TokenizerFolderTest() {
    WriteText(folder_ / "vocab.json", ByteVocabulary().dump());
    WriteText(folder_ / "merges.txt", "#version: 0.2\n");
  }

  absl::StatusOr<ClipTokenizer> Load() {
    return ClipTokenizer::Load(folder_.path(), 4);
  }

  // Returns the id that fills up in a folder with this config.
  int32_t PadId(const std::string& name, const std::string& config) {
    WriteText(folder_ / name, config);
    const auto tokenizer = Load();
    EXPECT_THAT(tokenizer, IsOk());
    return tokenizer.ok() ? tokenizer->Encode("").back() : -1;
  }

  const TemporaryFolder folder_;
};

TEST(TokenizerVocabularyTest, SoundOneIsRead) {
  EXPECT_THAT(ParseVocabulary(ByteVocabulary().dump()), IsOk());
}

TEST(TokenizerVocabularyTest, SizeIsOneMoreThanTheLargestId) {
  nlohmann::json vocabulary = ByteVocabulary();
  vocabulary["cat</w>"] = 1000;

  const auto tokenizer = ClipTokenizer::Parse(vocabulary.dump(), "", kEnd, 8);

  ASSERT_THAT(tokenizer, IsOk());
  EXPECT_EQ(tokenizer->vocab_size(), 1001);
}

TEST(TokenizerVocabularyTest, WhatIsNoObjectIsRefused) {
  for (const std::string json :
       {"", "[]", "1", "null", "{", R"({"a": 1,})", R"({"a" 1})", "\xFF"}) {
    EXPECT_THAT(
        ParseVocabulary(json),
        StatusIs(kInvalid, HasSubstr("vocab.json: expected a JSON object")))
        << json;
  }
}

TEST(TokenizerVocabularyTest, WhatIsNoIdIsRefusedWithItsToken) {
  for (const std::string id :
       {"-1", "1.5", "\"1\"", "null", "[1]", "true", "10000001", "4294967296",
        "18446744073709551615", "1e3"}) {
    std::string json = ByteVocabulary().dump();
    json.back() = ',';
    json += "\"cat</w>\":" + id + "}";
    EXPECT_THAT(ParseVocabulary(json),
                StatusIs(kInvalid, HasSubstr("vocab.json: not an id: cat</w>")))
        << id;
  }
}

TEST(TokenizerVocabularyTest, MissingSpecialTokenIsNamed) {
  for (const std::string token : {"<|startoftext|>", "<|endoftext|>"}) {
    nlohmann::json vocabulary = ByteVocabulary();
    vocabulary.erase(token);
    EXPECT_THAT(
        ParseVocabulary(vocabulary.dump()),
        StatusIs(kInvalid, HasSubstr("vocab.json: missing token: " + token)));
  }
}

TEST(TokenizerVocabularyTest, MissingByteIsNamed) {
  for (const std::string& byte : ByteCharacters()) {
    for (const std::string& token : {byte, byte + "</w>"}) {
      nlohmann::json vocabulary = ByteVocabulary();
      vocabulary.erase(token);
      EXPECT_THAT(
          ParseVocabulary(vocabulary.dump()),
          StatusIs(kInvalid, HasSubstr("vocab.json: missing token: " + token)));
    }
  }
}

TEST(TokenizerVocabularyTest, UnknownPadTokenIsNamed) {
  EXPECT_THAT(
      ClipTokenizer::Parse(ByteVocabulary().dump(), "", "<pad>", 8).status(),
      StatusIs(kInvalid, HasSubstr("vocab.json: missing token: <pad>")));
}

TEST(TokenizerVocabularyTest, EmptyPadTokenIsRefused) {
  nlohmann::json vocabulary = ByteVocabulary();
  vocabulary[""] = 600;

  EXPECT_THAT(ClipTokenizer::Parse(vocabulary.dump(), "", "", 8).status(),
              StatusIs(kInvalid, HasSubstr("pad_token: expected a token")));
}

TEST(TokenizerMergesTest, VersionLineBlankLinesAndWindowsEndsAreSkipped) {
  EXPECT_THAT(ParseMerges(""), IsOk());
  EXPECT_THAT(ParseMerges("#version: 0.2\n\na b\n\n"), IsOk());
  EXPECT_THAT(ParseMerges("#version: 0.2\r\na b\r\n"), IsOk());
  EXPECT_THAT(ParseMerges("a b"), IsOk());
}

TEST(TokenizerMergesTest, LineWithoutTwoSymbolsIsRefusedWithItsNumber) {
  for (const std::string line :
       {"a", "a b c", " b", "a ", "a  b", " ", "a\tb"}) {
    EXPECT_THAT(
        ParseMerges("#version: 0.2\na b\n\n" + line + "\na b\n"),
        StatusIs(kInvalid,
                 HasSubstr("merges.txt:4: expected two symbols: " + line)))
        << line;
  }
}

TEST(TokenizerMergesTest, VersionLineInSecondPlaceIsNoComment) {
  EXPECT_THAT(ParseMerges("a b\n#version: 0.2\n"),
              StatusIs(kInvalid, HasSubstr("merges.txt:2: ")));
}

TEST(TokenizerMergesTest, MergeWithoutAnIdIsRefusedWithItsNumber) {
  EXPECT_THAT(
      ParseMerges("#version: 0.2\na b\na c\n"),
      StatusIs(kInvalid, HasSubstr("merges.txt:3: not in vocab.json: ac")));
  EXPECT_THAT(ParseMerges("#version: 0.2\nzz b\n"),
              StatusIs(kInvalid, HasSubstr("merges.txt:2: not in vocab.json")));
}

TEST_F(TokenizerFolderTest, MissingFilesAreNotFoundAndNamed) {
  for (const std::string name : {"vocab.json", "merges.txt"}) {
    const TemporaryFolder folder;
    const std::string other =
        name == "vocab.json" ? "merges.txt" : "vocab.json";
    WriteText(folder / other, "");
    EXPECT_THAT(
        ClipTokenizer::Load(folder.path(), 4).status(),
        StatusIs(absl::StatusCode::kNotFound, HasSubstr(folder / name)));
  }
}

TEST_F(TokenizerFolderTest, ErrorNamesTheFolderAndTheLine) {
  WriteText(folder_ / "merges.txt", "#version: 0.2\nabc\n");

  EXPECT_THAT(Load().status(),
              StatusIs(kInvalid, AllOf(StartsWith(folder_.path()),
                                       HasSubstr("merges.txt:2: "))));
}

TEST_F(TokenizerFolderTest, WithoutConfigTheEndTokenPads) {
  const auto tokenizer = Load();

  ASSERT_THAT(tokenizer, IsOk());
  EXPECT_THAT(tokenizer->Encode("!"),
              ElementsAre(kStartId, kWordEndIds, kEndId, kEndId));
}

TEST_F(TokenizerFolderTest, PadTokenIsReadFromAString) {
  EXPECT_EQ(PadId("tokenizer_config.json", R"({"pad_token": "!"})"), 0);
}

TEST_F(TokenizerFolderTest, PadTokenIsReadFromAnObject) {
  EXPECT_EQ(PadId("tokenizer_config.json",
                  R"({"pad_token": {"__type": "AddedToken", "content": "!",
                      "lstrip": false, "normalized": true, "rstrip": false,
                      "single_word": false}})"),
            0);
}

TEST_F(TokenizerFolderTest, PadTokenIsReadFromTheSpecialTokensMap) {
  EXPECT_EQ(PadId("special_tokens_map.json", R"({"pad_token": "!"})"), 0);
  EXPECT_EQ(PadId("special_tokens_map.json",
                  R"({"pad_token": {"content": "<|startoftext|>"}})"),
            kStartId);
}

TEST_F(TokenizerFolderTest, TokenizerConfigOutranksTheSpecialTokensMap) {
  WriteText(folder_ / "special_tokens_map.json", R"({"pad_token": "!"})");

  EXPECT_EQ(
      PadId("tokenizer_config.json", R"({"pad_token": "<|startoftext|>"})"),
      kStartId);
}

TEST_F(TokenizerFolderTest, ConfigWithoutPadTokenLeavesItToTheMap) {
  WriteText(folder_ / "special_tokens_map.json", R"({"pad_token": "!"})");

  EXPECT_EQ(PadId("tokenizer_config.json", R"({"do_lower_case": true})"), 0);
}

TEST_F(TokenizerFolderTest, PadTokenOfAnotherKindIsRefused) {
  for (const std::string value : {"7", "[\"!\"]", "{}", R"({"content": 1})"}) {
    WriteText(folder_ / "tokenizer_config.json",
              "{\"pad_token\": " + value + "}");
    EXPECT_THAT(
        Load().status(),
        StatusIs(kInvalid, AllOf(HasSubstr(folder_ / "tokenizer_config.json"),
                                 HasSubstr("pad_token: expected a token"))))
        << value;
  }
}

TEST_F(TokenizerFolderTest, DamagedConfigIsRefused) {
  WriteText(folder_ / "tokenizer_config.json", "{");

  EXPECT_THAT(Load().status(),
              StatusIs(kInvalid, HasSubstr("tokenizer_config.json: ")));
}

}  // namespace
}  // namespace tessera::model
