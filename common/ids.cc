#include "common/ids.h"

#include <array>
#include <random>

namespace tessera {

std::string MakeUniqueId(const std::string& prefix) {
  static constexpr char kAlphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
  static_assert(sizeof(kAlphabet) == 33);
  std::random_device random;
  std::string id = prefix + "-";
  for (int i = 0; i < 16; ++i) id.push_back(kAlphabet[random() & 31]);
  return id;
}

}  // namespace tessera
