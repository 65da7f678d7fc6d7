#include "coordinator/result_merge.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace tessera::coordinator {
namespace {

// The finished tasks of one shard and the place of the next one.
struct Cursor {
  std::vector<std::pair<TaskIdentity, TaskResult>> tasks;
  size_t next = 0;

  const TaskIdentity& identity() const { return tasks[next].first; }
};

// Orders a heap by the next task, the smallest on top.
struct LaterTask {
  bool operator()(const Cursor& a, const Cursor& b) const {
    return std::tie(a.identity().line, a.identity().index) >
           std::tie(b.identity().line, b.identity().index);
  }
};

absl::StatusOr<Cursor> OpenShard(const JobStore& store,
                                 const TaskReader& task_reader,
                                 const ShardId& id) {
  ASSIGN_OR_RETURN(std::string payload, store.ReadPayload(id));
  ASSIGN_OR_RETURN(std::vector<TaskIdentity> identities,
                   task_reader.ReadTasks(payload));
  ASSIGN_OR_RETURN(std::vector<TaskResult> results, store.ReadResults(id));
  Cursor cursor;
  for (TaskResult& result : results) {
    if (result.task < 0 ||
        result.task >= static_cast<int64_t>(identities.size())) {
      return absl::DataLossError(absl::StrCat("result without a task: job ",
                                              id.job.value(), " shard ",
                                              id.index, " task ", result.task));
    }
    TaskIdentity identity = identities[result.task];
    cursor.tasks.emplace_back(std::move(identity), std::move(result));
  }
  return cursor;
}

}  // namespace

absl::Status MergeResults(const JobStore& store, const TaskReader& task_reader,
                          const JobId& job, std::vector<Shard> shards,
                          ResultVisitor visit) {
  std::sort(shards.begin(), shards.end(), [](const Shard& a, const Shard& b) {
    return std::tie(a.first_line, a.index) < std::tie(b.first_line, b.index);
  });
  std::vector<Cursor> heap;
  auto unread = shards.begin();
  while (unread != shards.end() || !heap.empty()) {
    if (unread != shards.end() &&
        (heap.empty() || unread->first_line <= heap.front().identity().line)) {
      ASSIGN_OR_RETURN(Cursor cursor,
                       OpenShard(store, task_reader, {job, unread->index}));
      ++unread;
      if (cursor.tasks.empty()) continue;
      heap.push_back(std::move(cursor));
      std::push_heap(heap.begin(), heap.end(), LaterTask());
      continue;
    }
    std::pop_heap(heap.begin(), heap.end(), LaterTask());
    Cursor& cursor = heap.back();
    const auto& [identity, result] = cursor.tasks[cursor.next];
    RETURN_IF_ERROR(visit(identity, result));
    if (++cursor.next == cursor.tasks.size()) {
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), LaterTask());
    }
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator
