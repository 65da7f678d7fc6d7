// A channel between threads of one process, for tests.
#ifndef TESSERA_WORKER_PIPELINE_LOOPBACK_CHANNEL_H_
#define TESSERA_WORKER_PIPELINE_LOOPBACK_CHANNEL_H_

#include <memory>
#include <vector>

#include "common/clock.h"
#include "worker/pipeline/channel.h"

namespace tessera::pipeline {

// Returns the ends of `size` ranks that are connected with each other, by
// rank. Destroying one is its death to the others. Deadlines are told by
// `clock`, which must outlive the channels.
std::vector<std::unique_ptr<Channel>> MakeLoopbackChannels(int size,
                                                           Clock& clock);

}  // namespace tessera::pipeline

#endif  // TESSERA_WORKER_PIPELINE_LOOPBACK_CHANNEL_H_
