#include "coordinator/pipeline/groups.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace tessera::coordinator {

PipelineGroups::PipelineGroups(const GroupOptions& options)
    : options_(options) {}

PipelineGroups::Group* PipelineGroups::Find(const WorkerId& worker) {
  for (auto& [id, group] : groups_) {
    for (const Member& member : group.members) {
      if (member.worker == worker) return &group;
    }
  }
  return nullptr;
}

const PipelineGroups::Group* PipelineGroups::Find(
    const WorkerId& worker) const {
  return const_cast<PipelineGroups*>(this)->Find(worker);
}

bool PipelineGroups::Contains(const WorkerId& worker) const {
  return Find(worker) != nullptr;
}

// Removes the group: its members learn it with their next answer.
void PipelineGroups::End(const std::string& id, const std::string& reason,
                         const std::string& detail) {
  const auto found = groups_.find(id);
  Log(Severity::kInfo, "pipeline group ended",
      {{"group", id},
       {"model", found->second.model},
       {"reason", reason},
       {"detail", detail}});
  if (!found->second.ready) trouble_[found->second.model] = detail;
  counts_.ended[reason] += 1;
  groups_.erase(found);
}

void PipelineGroups::Hear(const WorkerId& worker,
                          const std::optional<GroupReport>& report,
                          bool draining, absl::Time now) {
  if (draining) free_.erase(worker);
  Group* const group = Find(worker);
  if (group == nullptr) return;
  if (draining) {
    return End(group->id, "drained",
               absl::StrCat("a member drains: ", worker.value()));
  }
  const auto member =
      std::find_if(group->members.begin(), group->members.end(),
                   [&](const Member& one) { return one.worker == worker; });
  member->last_heard = now;
  // Speaks of an older group, or has not heard of this one.
  if (!report.has_value() || report->group != group->id) return;
  if (report->state == MemberState::kFailed) {
    return End(group->id, "failed",
               absl::StrCat(worker.value(), ": ", report->reason));
  }
  member->report = *report;
  Advance(*group);
}

// Plans when all have joined; the group is ready when all are.
void PipelineGroups::Advance(Group& group) {
  const auto all = [&](MemberState state) {
    return std::all_of(
        group.members.begin(), group.members.end(),
        [&](const Member& member) { return member.report.state >= state; });
  };
  if (group.segments.empty() && all(MemberState::kJoined)) {
    const GroupReport& first = group.members.front().report;
    for (const Member& member : group.members) {
      if (member.report.model_digest == first.model_digest) continue;
      return End(group.id, "refused",
                 absl::StrCat("workers have different files of model ",
                              group.model, ": ", first.model_digest, " on ",
                              group.members.front().worker.value(), ", ",
                              member.report.model_digest, " on ",
                              member.worker.value()));
    }
    const absl::StatusOr<Plan> plan =
        MakePlan({.pieces = first.pieces,
                  .devices = std::vector<StageDevice>(group.members.size()),
                  .link = kUsualLink});
    if (!plan.ok()) {
      return End(group.id, "refused", std::string(plan.status().message()));
    }
    group.segments = plan->segments;
  }
  if (!group.ready && !group.segments.empty() && all(MemberState::kReady)) {
    group.ready = true;
    counts_.formed += 1;
    trouble_.erase(group.model);
    Log(Severity::kInfo, "pipeline group is ready",
        {{"group", group.id},
         {"model", group.model},
         {"stages", group.members.size()}});
  }
}

bool PipelineGroups::IsFree(const Free& free, absl::Time now) const {
  return now - free.since <= options_.offer_lasts;
}

void PipelineGroups::Offer(const WorkerId& worker, GroupOffer offer,
                           absl::Time now) {
  free_[worker] = {std::move(offer), now};
  std::erase_if(free_,
                [&](const auto& named) { return !IsFree(named.second, now); });
}

bool PipelineGroups::Form(const std::string& model, int stages,
                          absl::Time now) {
  // By build: ranks of different ones would not make the same bits.
  std::map<std::string, std::vector<WorkerId>> builds;
  for (const auto& [worker, free] : free_) {
    const std::vector<std::string>& models = free.offer.models;
    if (!IsFree(free, now) || Contains(worker) ||
        std::find(models.begin(), models.end(), model) == models.end()) {
      continue;
    }
    builds[free.offer.version].push_back(worker);
  }
  for (auto& [version, workers] : builds) {
    if (static_cast<int>(workers.size()) < stages) continue;
    Group group{.id = MakeUniqueId("group"),
                .model = model,
                .batch = free_.at(workers.front()).offer.batch,
                .deadline = now + options_.forming_limit};
    for (int rank = 0; rank < stages; ++rank) {
      group.members.push_back({workers[rank], {}, now});
      free_.erase(workers[rank]);
    }
    Log(Severity::kInfo, "pipeline group forms",
        {{"group", group.id}, {"model", model}, {"stages", stages}});
    groups_.emplace(group.id, std::move(group));
    return true;
  }
  return false;
}

bool PipelineGroups::Expire(
    absl::Time now,
    const std::function<bool(const std::string& model, int stages)>& wanted) {
  std::map<std::string, std::pair<std::string, std::string>> over;
  for (const auto& [id, group] : groups_) {
    for (const Member& member : group.members) {
      if (now - member.last_heard < options_.silence_limit) continue;
      over[id] = {"lost",
                  absl::StrCat("a member is silent: ", member.worker.value())};
    }
    if (!group.ready && now >= group.deadline) {
      over[id] = {"timeout", "the members were not ready in time"};
    }
    if (!wanted(group.model, static_cast<int>(group.members.size()))) {
      over[id] = {"done", "no job needs it"};
    }
  }
  for (const auto& [id, why] : over) End(id, why.first, why.second);
  return !over.empty();
}

std::optional<GroupAssignment> PipelineGroups::AssignmentOf(
    const WorkerId& worker) const {
  const Group* const group = Find(worker);
  if (group == nullptr) return std::nullopt;
  GroupAssignment assignment{.group = group->id,
                             .stages = static_cast<int>(group->members.size()),
                             .model = group->model,
                             .batch = group->batch,
                             .segments = group->segments};
  for (size_t rank = 0; rank < group->members.size(); ++rank) {
    const Member& member = group->members[rank];
    if (member.worker == worker) assignment.rank = static_cast<int>(rank);
    if (!group->segments.empty()) {
      assignment.addresses.push_back(member.report.address);
    }
  }
  return assignment;
}

int PipelineGroups::StagesLedBy(const WorkerId& worker,
                                const std::string& model) const {
  const Group* const group = Find(worker);
  if (group == nullptr || !group->ready || group->model != model ||
      group->members.front().worker != worker) {
    return 0;
  }
  return static_cast<int>(group->members.size());
}

int PipelineGroups::CountFor(const std::string& model, absl::Time now) const {
  int count = 0;
  for (const auto& [worker, free] : free_) {
    const std::vector<std::string>& models = free.offer.models;
    count += IsFree(free, now) &&
             std::find(models.begin(), models.end(), model) != models.end();
  }
  for (const auto& [id, group] : groups_) {
    if (group.model == model) count += static_cast<int>(group.members.size());
  }
  return count;
}

std::string PipelineGroups::Trouble(const std::string& model) const {
  const auto found = trouble_.find(model);
  return found == trouble_.end() ? "" : found->second;
}

}  // namespace tessera::coordinator
