// Short ways to make the data that worker tests are about.
#ifndef TESSERA_TESTS_UNIT_WORKER_BUILDERS_H_
#define TESSERA_TESTS_UNIT_WORKER_BUILDERS_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "worker/assignment.h"
#include "worker/session_messages.h"

namespace tessera::worker {

// A task of an 8x8 picture with the id "aN" and the seed N.
inline ImageTask MakeTask(int number) {
  ImageTask task;
  task.line = number;
  task.custom_id = absl::StrCat("a", number);
  task.prompt = absl::StrCat("prompt ", number);
  task.seed = static_cast<uint64_t>(number);
  task.num_inference_steps = 2;
  task.width = 8;
  task.height = 8;
  return task;
}

// An assignment of shard 3 of "job" with `count` tasks.
inline Assignment MakeAssignment(int count) {
  Assignment assignment;
  assignment.lease = {"job", 3, 1};
  assignment.model = "emoji-sd";
  assignment.output_uri = "/out";
  for (int i = 0; i < count; ++i) assignment.tasks.push_back(MakeTask(i));
  return assignment;
}

// A finished picture of task `task`.
inline TaskResult MakeResult(int task) {
  FinishedImage image;
  image.custom_id = absl::StrCat("a", task);
  image.sha256 = "00ff";
  return {task, image};
}

}  // namespace tessera::worker

#endif  // TESSERA_TESTS_UNIT_WORKER_BUILDERS_H_
