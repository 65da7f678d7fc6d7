#include "coordinator/result_merge.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "common/log.h"
#include "common/status_macros.h"
#include "coordinator/shard_payload.h"

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

// Returns what is still known of a task whose prompts are lost: a picture
// carries its id, and of a failure only the place of the shard is left.
TaskIdentity RememberedIdentity(const Shard& shard, const TaskResult& result) {
  TaskIdentity identity{.line = shard.first_line};
  if (const auto* image = std::get_if<ImageRecord>(&result.outcome)) {
    identity.custom_id = image->custom_id;
    identity.index = image->index;
  }
  return identity;
}

// Reads one shard whole: its payload gives each result its line and id. One
// that is damaged must not keep its job from ending (I5).
absl::StatusOr<Cursor> OpenShard(const JobStore& store,
                                 const TaskReader& task_reader,
                                 const JobId& job, const Shard& shard) {
  const ShardId id{job, shard.index};
  const absl::StatusOr<ShardPayload> payload =
      ReadShardPayload(store, task_reader, id, shard.pictures());
  if (!payload.ok()) {
    // A store that does not answer now is asked again by the next seal.
    if (!absl::IsDataLoss(payload.status())) return payload.status();
    Log(Severity::kWarning, "manifest lacks lines and ids of a damaged shard",
        {{"job", job.value()},
         {"shard", shard.index},
         {"error", payload.status()}});
  }
  ASSIGN_OR_RETURN(std::vector<TaskResult> results, store.ReadResults(id));
  Cursor cursor;
  // Results come in order of task, which is input order; tasks without a
  // result, of a cancelled job, leave no gap in it.
  for (TaskResult& result : results) {
    // No prompt asked for it, so that no line can name it.
    if (result.task < 0 || result.task >= shard.pictures()) {
      Log(Severity::kError, "manifest lacks a result without a task",
          {{"job", job.value()},
           {"shard", shard.index},
           {"task", result.task}});
      continue;
    }
    TaskIdentity identity = payload.ok() ? payload->tasks[result.task]
                                         : RememberedIdentity(shard, result);
    cursor.tasks.emplace_back(std::move(identity), std::move(result));
  }
  return cursor;
}

}  // namespace

absl::Status MergeResults(const JobStore& store, const TaskReader& task_reader,
                          const JobId& job, std::vector<Shard> shards,
                          ResultVisitor visit) {
  // By first line, so that a shard is not read before the merge gets to it:
  // memory holds those that overlap, not the whole job.
  std::sort(shards.begin(), shards.end(), [](const Shard& a, const Shard& b) {
    return std::tie(a.first_line, a.index) < std::tie(b.first_line, b.index);
  });
  std::vector<Cursor> heap;
  auto unread = shards.begin();
  while (unread != shards.end() || !heap.empty()) {
    if (unread != shards.end() &&
        // "Or equal": pictures of one line may be in two shards, and the unread
        // one may hold the smaller index.
        (heap.empty() || unread->first_line <= heap.front().identity().line)) {
      ASSIGN_OR_RETURN(Cursor cursor,
                       OpenShard(store, task_reader, job, *unread));
      ++unread;
      // Nothing of it ended: a cancelled job.
      if (cursor.tasks.empty()) continue;
      heap.push_back(std::move(cursor));
      std::push_heap(heap.begin(), heap.end(), LaterTask());
      continue;
    }
    std::pop_heap(heap.begin(), heap.end(), LaterTask());
    // pop_heap has moved the smallest to the end; it is used there and pushed
    // again, which spares a copy of the cursor.
    Cursor& cursor = heap.back();
    const auto& [identity, result] = cursor.tasks[cursor.next];
    RETURN_IF_ERROR(visit(identity, result));
    if (++cursor.next == cursor.tasks.size()) {
      // Frees the shard's results: the merge has passed it.
      heap.pop_back();
    } else {
      std::push_heap(heap.begin(), heap.end(), LaterTask());
    }
  }
  return absl::OkStatus();
}

}  // namespace tessera::coordinator
