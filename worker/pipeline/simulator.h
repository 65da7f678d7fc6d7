// How long a schedule takes, without running it.
#ifndef TESSERA_WORKER_PIPELINE_SIMULATOR_H_
#define TESSERA_WORKER_PIPELINE_SIMULATOR_H_

#include <vector>

#include "worker/pipeline/schedule.h"

namespace tessera::pipeline {

// Which of the micro-batches that wait at a rank is taken first.
enum class Priority {
  kUp,      // the one that is furthest in its call
  kDown,    // the one that is least far
  kOldest,  // the one that entered first
  kFixed    // VisitOrder's, for which it may have to be waited
};

struct Simulation {
  Layout layout;
  std::vector<double> seconds;  // of each segment, for one micro-batch
  double hop_seconds = 0;       // from one rank to another
  int micro_batches = 0;        // in flight; a multiple of it enters for kFixed
  int total = 0;                // micro-batches that enter, one as one leaves
  int calls = 1;                // UNet calls of each
  Priority priority = Priority::kFixed;
};

// Returns the seconds from the first visit to the end of the last one. Pure.
double Simulate(const Simulation& simulation);

// Returns the share of what as many perfect devices as there are ranks would
// make in the same time.
double Efficiency(const Simulation& simulation);

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_SIMULATOR_H_
