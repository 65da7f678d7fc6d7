// Structured logs: a constant message and named values, one line an event.
//
// Example: Log(Severity::kInfo, "lease expired",
//              {{"job", id.value()}, {"attempt", 2}});
#ifndef TESSERA_COMMON_LOG_H_
#define TESSERA_COMMON_LOG_H_

#include <cmath>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace tessera {

enum class Severity { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// One named value of a log line, already formatted.
struct LogField {
  std::string_view name;
  std::string value;
  bool quoted = true;  // false in JSON for what JSON has as a number

  LogField(std::string_view field, std::string_view text)
      : name(field), value(text) {}
  LogField(std::string_view field, const std::string& text)
      : name(field), value(text) {}
  LogField(std::string_view field, const char* text)
      : name(field), value(text) {}
  LogField(std::string_view field, const absl::Status& status)
      : name(field), value(status.ToString()) {}
  LogField(std::string_view field, absl::Duration duration);
  template <typename T>
  requires std::is_arithmetic_v<T> LogField(std::string_view field, T number)
      : name(field),
        value(std::to_string(number)),
        quoted(!std::isfinite(static_cast<double>(number))) {}
};

// Chooses the form and the lowest severity written; call once in main.
void ConfigureLog(LogFormat format, Severity lowest);

// Writes one line to standard error. `message` is constant, lower case;
// everything that varies is a field. Thread-safe; a line is never torn.
void Log(Severity severity, std::string_view message,
         std::initializer_list<LogField> fields);

// Returns the line that Log would write, without its newline.
std::string FormatLogLine(LogFormat format, Severity severity, absl::Time time,
                          std::string_view message,
                          std::initializer_list<LogField> fields);

}  // namespace tessera

#endif  // TESSERA_COMMON_LOG_H_
