// What a stage tells of its work.
#ifndef TESSERA_WORKER_PIPELINE_STAGE_EVENTS_H_
#define TESSERA_WORKER_PIPELINE_STAGE_EVENTS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "worker/pipeline/schedule.h"

namespace tessera::pipeline {

// Hears of a stage's visits, on the stage's thread. Thread-safe.
class StageEvents {
 public:
  virtual ~StageEvents() = default;

  // A visit began at `begin`, had all that other ranks send at `received`, and
  // was computed at `end`; `bytes` were given to the channel for it since.
  virtual void OnVisit(const Visit& visit, absl::Time begin,
                       absl::Time received, absl::Time end, int64_t bytes) = 0;
};

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_STAGE_EVENTS_H_
