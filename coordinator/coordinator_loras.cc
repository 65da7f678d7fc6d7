// The use cases of Coordinator that are about LoRAs.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/status_macros.h"
#include "coordinator/coordinator.h"
#include "coordinator/coordinator_state.h"

namespace tessera::coordinator {
namespace {

// Returns a version with what clients are told of its use.
LoraEntry Describe(const LoraRegistry& loras, const Lora& lora) {
  return {lora, loras.InUse({lora.name, lora.sha256})};
}

}  // namespace

absl::StatusOr<LoraEntry> Coordinator::PutLora(const Lora& lora) {
  LoraEntry entry;
  // Answered after the commit, so a client that got the answer finds the LoRA
  // after any crash (I2).
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction& transaction) {
    const Lora& row = state_->loras.Put(lora, state_->clock.Now());
    // Written even when nothing changed: repeats are rare, a row is cheap.
    transaction.PutLora(row);
    entry = Describe(state_->loras, row);
    return absl::OkStatus();
  }));
  return entry;
}

absl::StatusOr<LoraEntry> Coordinator::GetLora(const LoraName& name) {
  LoraEntry entry;
  // A command even though it only reads: what an unfinished commit wrote into
  // memory must not be told to anyone.
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    ASSIGN_OR_RETURN(const Lora* const found, state_->loras.Get(name));
    entry = Describe(state_->loras, *found);
    return absl::OkStatus();
  }));
  return entry;
}

absl::StatusOr<std::optional<Lora>> Coordinator::FindLoraFile(
    const std::string& sha256) {
  std::optional<Lora> found;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    const Lora* const lora = state_->loras.FindFile(sha256);
    // Copied, as the registry may change once the command is over.
    if (lora != nullptr) found = *lora;
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<LoraPage> Coordinator::ListLoras(const std::string& after,
                                                int64_t limit) {
  LoraPage page;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction&) {
    // One more than asked for tells whether this page is the last.
    for (const Lora* lora : state_->loras.List(after, limit + 1)) {
      page.loras.push_back(Describe(state_->loras, *lora));
    }
    page.last = static_cast<int64_t>(page.loras.size()) <= limit;
    if (!page.last) page.loras.pop_back();
    return absl::OkStatus();
  }));
  return page;
}

absl::StatusOr<std::vector<std::string>> Coordinator::DeleteLora(
    const LoraName& name) {
  std::vector<std::string> unneeded;
  RETURN_IF_ERROR(state_->commands.Run([&](JobTransaction& transaction) {
    ASSIGN_OR_RETURN(const std::vector<LoraPin> versions,
                     state_->loras.CheckDelete(name));
    // Pins of jobs that ended keep telling what those used.
    for (const LoraPin& version : versions) {
      transaction.DeleteLora(version.name, version.sha256);
      state_->loras.Remove(version);
      // Asked after the removal; another name may share the file.
      if (state_->loras.FindFile(version.sha256) == nullptr) {
        unneeded.push_back(version.sha256);
      }
    }
    return absl::OkStatus();
  }));
  return unneeded;
}

absl::Status Coordinator::PinLoras(const JobId& job,
                                   const std::vector<LoraPin>& pins) {
  return state_->commands.Run([&](JobTransaction& transaction) {
    // Later would be too late: workers may have the tasks already.
    ASSIGN_OR_RETURN(JobEntry* const entry, state_->FindCreating(job));
    // Checked before anything changes: a command that fails changes nothing.
    for (const LoraPin& pin : pins) {
      if (state_->loras.Find({pin.name, pin.sha256}) != nullptr) continue;
      return absl::AbortedError(absl::StrCat(
          "LoRA was deleted while the job was submitted: ", pin.name, "@",
          pin.sha256));
    }
    for (const LoraPin& pin : pins) {
      transaction.PinLora(job, pin);
      // In memory and in the store together, as Load builds the one from the
      // other.
      state_->loras.Use(pin);
      entry->loras.push_back(pin);
    }
    return absl::OkStatus();
  });
}

}  // namespace tessera::coordinator
