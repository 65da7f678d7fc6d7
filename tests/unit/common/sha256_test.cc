#include "common/sha256.h"

#include "gtest/gtest.h"

namespace tessera {
namespace {

// FIPS 180-4 examples.
constexpr char kEmpty[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr char kAbc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256Test, MatchesPublishedExamples) {
  EXPECT_EQ(Sha256Hex(""), kEmpty);
  EXPECT_EQ(Sha256Hex("abc"), kAbc);
}

TEST(Sha256Test, PiecesGiveTheDigestOfTheWhole) {
  Sha256Stream stream;

  stream.Update("a");
  stream.Update("");
  stream.Update("bc");

  EXPECT_EQ(stream.FinishHex(), kAbc);
}

}  // namespace
}  // namespace tessera
