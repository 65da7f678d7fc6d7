// What `--json` prints: the messages of the API as JSON objects.
#ifndef TESSERA_CLIENT_JOB_JSON_H_
#define TESSERA_CLIENT_JOB_JSON_H_

#include <string>

#include "tessera/v1/job.pb.h"
#include "tessera/v1/lora_service.pb.h"

namespace tessera::client {

// Returns one line of JSON without its newline. Fields have the names of the
// proto, numbers are numbers, states lack their prefix ("RUNNING"), times are
// RFC 3339 and absent when unset.
std::string ToJson(const v1::Job& job);
std::string ToJson(const v1::Image& image);
std::string ToJson(const v1::Worker& worker);
std::string ToJson(const v1::Lora& lora);

// Returns a state without the prefix of its enumeration, such as "RUNNING".
std::string StateName(v1::JobState state);
std::string StateName(v1::WorkerState state);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_JOB_JSON_H_
