#include "worker/pipeline/skip_routes.h"

#include <map>

namespace tessera::pipeline {

std::vector<SkipRoute> FindSkipRoutes(
    const Layout& layout, std::span<const model::UNetPiece> pieces) {
  std::map<int, SkipRoute> routes;
  for (size_t i = 0; i < layout.segments.size(); ++i) {
    const Segment& segment = layout.segments[i];
    for (size_t piece = segment.begin; piece < segment.end; ++piece) {
      const int saves = pieces[piece].saves_skip;
      const int takes = pieces[piece].takes_skip;
      if (saves >= 0) {
        routes[saves] = {saves, static_cast<int>(i), static_cast<int>(i),
                         piece};
      }
      if (takes >= 0) routes[takes].taken = static_cast<int>(i);
    }
  }
  std::vector<SkipRoute> crossing;
  for (const auto& [skip, route] : routes) {
    if (route.saved != route.taken) crossing.push_back(route);
  }
  return crossing;
}

}  // namespace tessera::pipeline
