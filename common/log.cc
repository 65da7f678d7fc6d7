#include "common/log.h"

#include <unistd.h>

#include <atomic>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "nlohmann/json.hpp"

namespace tessera {
namespace {

std::atomic<LogFormat> log_format{LogFormat::kText};
std::atomic<Severity> lowest_severity{Severity::kInfo};

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

std::string Quoted(std::string_view text) {
  using nlohmann::json;
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

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
  const std::string stamp =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  std::string line;
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
  if (severity < lowest_severity.load()) return;
  std::string line = FormatLogLine(log_format.load(), severity,
                                   RealClock().Now(), message, fields);
  line.push_back('\n');
  // One write a line: lines of several threads or processes do not mix.
  [[maybe_unused]] const auto written =
      ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace tessera
