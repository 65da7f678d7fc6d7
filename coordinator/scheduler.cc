#include "coordinator/scheduler.h"

#include <algorithm>
#include <tuple>

namespace tessera::coordinator {

std::optional<size_t> PickJob(const std::vector<JobCandidate>& candidates) {
  if (candidates.empty()) return std::nullopt;
  const auto best =
      // Lexicographic, and total because numbers differ: the same candidates
      // give the same choice in any order.
      std::min_element(candidates.begin(), candidates.end(),
                       [](const JobCandidate& a, const JobCandidate& b) {
                         return std::tie(a.leases, a.last_grant, a.number) <
                                std::tie(b.leases, b.last_grant, b.number);
                       });
  return static_cast<size_t>(best - candidates.begin());
}

}  // namespace tessera::coordinator
