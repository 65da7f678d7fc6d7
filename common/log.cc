#include "common/log.h"

#include <unistd.h>

#include <atomic>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "nlohmann/json.hpp"

namespace tessera {
namespace {

// Global, unlike all other state: a line may be logged from anywhere, and a
// logger handed through every constructor would be worth less than it costs.
// Atomic, so that logging needs no lock.
std::atomic<LogFormat> log_format{LogFormat::kText};
std::atomic<Severity> lowest_severity{Severity::kInfo};

// Names severities in the words of both forms.
const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kDebug:
      return "debug";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "unknown";
}

// Returns `text` as a JSON string. What is not UTF-8 becomes U+FFFD: a field
// may hold bytes from outside.
std::string Quoted(std::string_view text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

// Whether a value would be misread in "name=value name=value".
bool NeedsQuotes(std::string_view text) {
  return text.empty() ||
         text.find_first_of(" \"=\n\t\\") != std::string_view::npos;
}

}  // namespace

LogField::LogField(std::string_view field, absl::Duration duration)
    : name(field), value(absl::FormatDuration(duration)) {}

void ConfigureLog(LogFormat format, Severity lowest) {
  log_format = format;
  lowest_severity = lowest;
}

std::string FormatLogLine(LogFormat format, Severity severity, absl::Time time,
                          std::string_view message,
                          std::initializer_list<LogField> fields) {
  // UTC with milliseconds, so that the lines of several machines sort together.
  const std::string stamp =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  std::string line;
  // One object a line, with keys in a fixed order.
  if (format == LogFormat::kJson) {
    absl::StrAppend(&line, "{\"time\":\"", stamp, "\",\"severity\":\"",
                    SeverityName(severity), "\",\"message\":", Quoted(message));
    for (const LogField& field : fields) {
      absl::StrAppend(&line, ",", Quoted(field.name), ":",
                      field.quoted ? Quoted(field.value) : field.value);
    }
    line.push_back('}');
    return line;
  }
  // For a person: the message first, then what varies.
  absl::StrAppend(&line, stamp, " ", SeverityName(severity), " ",
                  std::string(message));
  for (const LogField& field : fields) {
    absl::StrAppend(
        &line, " ", std::string(field.name), "=",
        NeedsQuotes(field.value) ? Quoted(field.value) : field.value);
  }
  return line;
}

void Log(Severity severity, std::string_view message,
         std::initializer_list<LogField> fields) {
  // Before the line is formatted: what is not wanted costs a comparison.
  if (severity < lowest_severity.load()) return;
  std::string line = FormatLogLine(log_format.load(), severity,
                                   RealClock().Now(), message, fields);
  line.push_back('\n');
  // One write a line: lines of several threads or processes do not mix.
  [[maybe_unused]] const auto written =
      ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tessera
