#include "common/ids.h"

#include <array>
#include <random>

namespace tessera {

std::string MakeUniqueId(const std::string& prefix) {
  // 32 letters and digits, without i, l, o and u, which are misread or spell
  // words.
  static constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  static_assert(sizeof(kAlphabet) == 33);
  // From the system's source: ids need not be repeatable, but they must differ
  // between machines that start at the same instant.
  std::random_device random;
  std::string id = prefix + "-";
  // The low five bits choose a letter, without a bias, as 32 divides 2^32.
  for (int i = 0; i < 16; ++i) id.push_back(kAlphabet[random() & 31]);
  return id;
}

}  // namespace tessera
