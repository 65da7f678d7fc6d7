#include "worker/model/batch_picture.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace tessera::model {

std::vector<size_t> PlacesByWeights(const std::vector<BatchPicture>& pictures) {
  std::vector<size_t> places(pictures.size());
  std::iota(places.begin(), places.end(), size_t{0});
  const auto key = [&](size_t place) -> std::string_view {
    const AdapterSet& set = *pictures[place].adapters;
    if (set.merged == nullptr) return {};
    return set.key;
  };
  std::stable_sort(places.begin(), places.end(),
                   [&](size_t a, size_t b) { return key(a) < key(b); });
  return places;
}

}  // namespace tessera::model
