// Workers that run one UNet together.
#ifndef TESSERA_COORDINATOR_PIPELINE_GROUPS_H_
#define TESSERA_COORDINATOR_PIPELINE_GROUPS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/ids.h"
#include "coordinator/pipeline/group_messages.h"
#include "coordinator/pipeline/planner.h"

namespace tessera::coordinator {

// How long groups wait.
struct GroupOptions {
  // A worker that offered itself counts as free for this long.
  absl::Duration offer_lasts = absl::Seconds(1);
  // All members must be ready within this, or nobody is.
  absl::Duration forming_limit = absl::Minutes(5);
  // A member silent for this long has left.
  absl::Duration silence_limit = absl::Seconds(3);
};

// A worker that has nothing to do and could be a member.
struct GroupOffer {
  std::string version;  // of its build
  std::vector<std::string> models;
  int batch = 0;
};

// Counts since the start.
struct GroupCounts {
  int64_t formed = 0;                    // all members were ready
  std::map<std::string, int64_t> ended;  // by reason
};

// Forms groups of workers out of those that offer themselves, all or nothing,
// and ends a group for all its members when one of them dies, hangs, drains or
// fails. A worker is in one group at most, and a group is made of workers that
// are free at that instant, so no two half-formed groups wait for each other.
//
// Kept in memory only: after a restart members are told that they are in no
// group, and leave. Thread-compatible.
class PipelineGroups {
 public:
  explicit PipelineGroups(const GroupOptions& options);

  // Takes note of a member's call. A report of another group than the worker
  // is in changes nothing.
  void Hear(const WorkerId& worker, const std::optional<GroupReport>& report,
            bool draining, absl::Time now);

  // Takes note that a worker in no group has nothing to do.
  void Offer(const WorkerId& worker, GroupOffer offer, absl::Time now);

  // Forms a group of `stages` for `model` if so many workers of one build are
  // free. Returns whether it did.
  bool Form(const std::string& model, int stages, absl::Time now);

  // Ends groups that do not get ready or lost a member, and those that `wanted`
  // does not want. Returns whether any ended.
  bool Expire(
      absl::Time now,
      const std::function<bool(const std::string& model, int stages)>& wanted);

  // Returns the group that a worker is to be in; nothing if none.
  std::optional<GroupAssignment> AssignmentOf(const WorkerId& worker) const;

  // Returns how many stages the group has whose ready first rank `worker` is;
  // 0: it is none.
  int StagesLedBy(const WorkerId& worker, const std::string& model) const;
  bool Contains(const WorkerId& worker) const;

  // Returns how many workers could be members of a group for `model` now:
  // those that are free, or in one.
  int CountFor(const std::string& model, absl::Time now) const;

  // Why the last group for `model` ended before it was ready; or empty.
  std::string Trouble(const std::string& model) const;

  const GroupCounts& counts() const { return counts_; }

 private:
  struct Member {
    WorkerId worker;
    GroupReport report;
    absl::Time last_heard;
  };
  struct Group {
    std::string id;
    std::string model;
    int batch = 0;                      // of rank 0
    std::vector<Member> members;        // by rank
    std::vector<PlanSegment> segments;  // empty until all have joined
    absl::Time deadline;                // to be ready by
    bool ready = false;
  };
  struct Free {
    GroupOffer offer;
    absl::Time since;
  };

  Group* Find(const WorkerId& worker);
  const Group* Find(const WorkerId& worker) const;
  void Advance(Group& group);
  void End(const std::string& id, const std::string& reason,
           const std::string& detail);
  bool IsFree(const Free& free, absl::Time now) const;

  const GroupOptions options_;
  std::map<std::string, Group> groups_;  // by id
  std::map<WorkerId, Free> free_;
  std::map<std::string, std::string> trouble_;  // by model
  GroupCounts counts_;
};

}  // namespace tessera::coordinator

#endif  // TESSERA_COORDINATOR_PIPELINE_GROUPS_H_
