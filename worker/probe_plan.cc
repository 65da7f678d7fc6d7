#include "worker/probe_plan.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/status_macros.h"
#include "coordinator/pipeline/planner.h"
#include "worker/pipeline_costs.h"

namespace tessera::worker {
namespace {

constexpr double kMebi = 1024.0 * 1024.0;
constexpr double kMilli = 1000;

// Returns bytes in mebibytes.
double InMebi(int64_t bytes) { return static_cast<double>(bytes) / kMebi; }

// Returns the rank that runs a piece.
int RankOf(const coordinator::Plan& plan, size_t piece) {
  for (const coordinator::PlanSegment& segment : plan.segments) {
    if (segment.begin <= piece && piece < segment.end) return segment.rank;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::string> DescribePlan(const std::string& model_folder,
                                         int stages,
                                         const kernels::Device& device) {
  ASSIGN_OR_RETURN(const std::vector<PieceFigures> pieces,
                   CountPieceCosts(model_folder, device));
  coordinator::PlanRequest request;
  request.devices.resize(static_cast<size_t>(stages));
  request.link = coordinator::kUsualLink;
  for (const PieceFigures& piece : pieces) {
    request.pieces.push_back({.name = piece.name,
                              .seconds = piece.seconds,
                              .weight_bytes = piece.weight_bytes,
                              .output_bytes = piece.output_bytes,
                              .saves_skip = piece.saves_skip,
                              .takes_skip = piece.takes_skip});
  }
  ASSIGN_OR_RETURN(const coordinator::Plan plan,
                   coordinator::MakePlan(request));
  std::string text = absl::StrFormat("%-36s %10s %12s %11s %5s\n", "piece",
                                     "ms", "weights MiB", "output MiB", "rank");
  double sum = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    sum += pieces[i].seconds;
    absl::StrAppend(
        &text, absl::StrFormat(
                   "%-36s %10.3f %12.2f %11.3f %5d\n", pieces[i].name,
                   pieces[i].seconds * kMilli, InMebi(pieces[i].weight_bytes),
                   InMebi(pieces[i].output_bytes), RankOf(plan, i)));
  }
  const bool folded = plan.placement == coordinator::Placement::kFolded;
  absl::StrAppend(&text, "\nplacement: ", folded ? "folded" : "linear", "\n");
  for (size_t rank = 0; rank < plan.stages.size(); ++rank) {
    const coordinator::PlanStage& stage = plan.stages[rank];
    absl::StrAppend(
        &text,
        absl::StrFormat("rank %d: %5.1f %% of the work, %.1f MiB\n", rank,
                        100 * stage.seconds / sum, InMebi(stage.weight_bytes)));
  }
  absl::StrAppend(
      &text,
      absl::StrFormat(
          "on the wire, a sample and call: %.3f MiB hidden, "
          "%.3f MiB skips\nshare of the ideal, transfers included: %.1f %%\n",
          InMebi(plan.hidden_bytes), InMebi(plan.skip_bytes),
          100 * plan.share_of_ideal));
  return text;
}

}  // namespace tessera::worker
