#include "coordinator/pipeline/cut_costs.h"

#include <algorithm>

namespace tessera::coordinator {

CutCosts::CutCosts(const PlanRequest& request, const std::vector<size_t>& order)
    : request_(request),
      order_(order),
      n_(request.pieces.size()),
      seconds_(n_ + 1, 0),
      weights_(n_ + 1, 0) {
  for (size_t i = 0; i < n_; ++i) {
    const PieceCost& piece = request.pieces[i];
    seconds_[i + 1] = seconds_[i] + piece.seconds;
    weights_[i + 1] = weights_[i] + piece.weight_bytes;
    const int touched = std::max(piece.saves_skip, piece.takes_skip);
    if (touched < 0) continue;
    if (static_cast<size_t>(touched) >= skips_.size()) {
      skips_.resize(static_cast<size_t>(touched) + 1);
    }
    if (piece.saves_skip >= 0) {
      Skip& skip = skips_[static_cast<size_t>(piece.saves_skip)];
      skip.saved = i;
      skip.bytes = piece.output_bytes;
    }
    if (piece.takes_skip >= 0) {
      skips_[static_cast<size_t>(piece.takes_skip)].taken = i;
    }
  }
}

bool CutCosts::SkipsStay(size_t i, size_t j) const {
  return std::all_of(skips_.begin(), skips_.end(), [&](const Skip& skip) {
    return (skip.saved < i) == (skip.taken >= j);
  });
}

// Returns the bytes that cross the border before a piece; the latents never
// do.
int64_t CutCosts::Border(size_t piece) const {
  return piece == 0 ? 0 : request_.pieces[piece - 1].output_bytes;
}

void CutCosts::AddPieces(size_t begin, size_t end, RankCost& cost) const {
  cost.seconds += seconds_[end] - seconds_[begin];
  cost.weight_bytes += weights_[end] - weights_[begin];
}

// Applies the figures of the device and the link.
RankCost CutCosts::Finish(size_t rank, RankCost cost) const {
  const StageDevice& device = request_.devices[order_[rank]];
  cost.seconds /= device.speed;
  if (request_.link.bytes_per_second > 0) {
    cost.transfer_seconds =
        static_cast<double>(cost.bytes) / request_.link.bytes_per_second;
  }
  cost.memory_bytes += cost.weight_bytes;
  cost.fits =
      device.memory_bytes == 0 || cost.memory_bytes <= device.memory_bytes;
  return cost;
}

RankCost CutCosts::Folded(size_t rank, const Cut& outer,
                          const Cut& inner) const {
  RankCost cost;
  AddPieces(outer.first, inner.first, cost);
  AddPieces(inner.second, outer.second, cost);
  cost.bytes = Border(inner.first) + Border(inner.second);
  if (rank > 0) cost.bytes += Border(outer.first) + Border(outer.second);
  for (const Skip& skip : skips_) {
    if (skip.saved >= outer.first && skip.saved < inner.first) {
      cost.memory_bytes += skip.bytes * request_.samples;
    }
  }
  return Finish(rank, cost);
}

RankCost CutCosts::Innermost(size_t rank, const Cut& cut) const {
  RankCost cost;
  AddPieces(cut.first, cut.second, cost);
  if (rank > 0) cost.bytes = Border(cut.first) + Border(cut.second);
  return Finish(rank, cost);
}

RankCost CutCosts::Linear(size_t rank, size_t begin, size_t end) const {
  RankCost cost;
  AddPieces(begin, end, cost);
  cost.bytes = (begin > 0 ? Border(begin) : 0) + Border(end);
  // Receives the prediction of the last rank.
  if (begin == 0) cost.bytes += Border(n_);
  for (const Skip& skip : skips_) {
    const bool saves = skip.saved >= begin && skip.saved < end;
    const bool takes = skip.taken >= begin && skip.taken < end;
    if (saves == takes) continue;
    cost.bytes += skip.bytes;
    cost.memory_bytes += skip.bytes * request_.samples;
  }
  return Finish(rank, cost);
}

RankCost CutCosts::OfRank(const std::vector<PlanSegment>& segments,
                          int rank) const {
  std::vector<PlanSegment> own;
  for (const PlanSegment& segment : segments) {
    if (segment.rank == rank) own.push_back(segment);
  }
  const auto index = static_cast<size_t>(rank);
  const PlanSegment& first = own.front();
  const PlanSegment& last = own.back();
  if (last.begin == n_) return Linear(index, first.begin, first.end);
  if (own.size() == 2) {
    return Folded(index, {first.begin, last.end}, {first.end, last.begin});
  }
  // One segment: the innermost of folded ones, or one of linear ones.
  return segments.back().begin == n_
             ? Linear(index, first.begin, first.end)
             : Innermost(index, {first.begin, first.end});
}

void CutCosts::CountBytes(const std::vector<PlanSegment>& segments,
                          int64_t& hidden, int64_t& skips) const {
  const auto rank_of = [&](size_t piece) {
    const auto found = std::find_if(
        segments.begin(), segments.end(), [&](const PlanSegment& segment) {
          return segment.begin <= piece && piece < segment.end;
        });
    return found->rank;
  };
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    if (segments[i].rank != segments[i + 1].rank) {
      hidden += Border(segments[i].end);
    }
  }
  for (const Skip& skip : skips_) {
    if (rank_of(skip.saved) != rank_of(skip.taken)) skips += skip.bytes;
  }
}

}  // namespace tessera::coordinator
