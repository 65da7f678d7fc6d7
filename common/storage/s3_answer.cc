#include "common/storage/s3_answer.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace tessera::storage {
namespace {

// S3's codes whose meaning its HTTP status does not tell.
constexpr std::pair<std::string_view, absl::StatusCode> kCodes[] = {
    {"NoSuchBucket", absl::StatusCode::kFailedPrecondition},
    {"SlowDown", absl::StatusCode::kUnavailable},
    {"RequestTimeout", absl::StatusCode::kUnavailable},
    {"InternalError", absl::StatusCode::kUnavailable},
    {"OperationAborted", absl::StatusCode::kUnavailable},
    // New ones are read from where the old ones came from, and work then.
    {"ExpiredToken", absl::StatusCode::kUnavailable},
    {"ExpiredTokenException", absl::StatusCode::kUnavailable},
    {"QuotaExceeded", absl::StatusCode::kResourceExhausted},
    {"XMinioStorageFull", absl::StatusCode::kResourceExhausted},
    {"BadDigest", absl::StatusCode::kUnavailable},
    {"XAmzContentSHA256Mismatch", absl::StatusCode::kUnavailable},
};

// Returns the code for an answer with this HTTP status.
absl::StatusCode CodeOfHttp(int status) {
  switch (status) {
    case 301:
    case 307:
      return absl::StatusCode::kFailedPrecondition;
    case 401:
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 408:
    case 429:
      return absl::StatusCode::kUnavailable;
    case 416:
      return absl::StatusCode::kOutOfRange;
    case 507:
      return absl::StatusCode::kResourceExhausted;
    default:
      return status >= 500 ? absl::StatusCode::kUnavailable
                           : absl::StatusCode::kInvalidArgument;
  }
}

}  // namespace

std::vector<std::string_view> XmlElements(std::string_view xml,
                                          std::string_view tag) {
  const std::string open = absl::StrCat("<", std::string(tag), ">");
  const std::string close = absl::StrCat("</", std::string(tag), ">");
  std::vector<std::string_view> elements;
  for (size_t at = xml.find(open); at != xml.npos; at = xml.find(open, at)) {
    at += open.size();
    const size_t end = xml.find(close, at);
    // A document that was cut short has no more whole elements.
    if (end == xml.npos) break;
    elements.push_back(xml.substr(at, end - at));
    at = end;
  }
  return elements;
}

std::string XmlText(std::string_view xml, std::string_view tag) {
  const std::vector<std::string_view> found = XmlElements(xml, tag);
  if (found.empty()) return std::string();
  // One pass, so that "&amp;lt;" stays "&lt;".
  return absl::StrReplaceAll(std::string(found.front()), {{"&lt;", "<"},
                                                          {"&gt;", ">"},
                                                          {"&quot;", "\""},
                                                          {"&apos;", "'"},
                                                          {"&#39;", "'"},
                                                          {"&#34;", "\""},
                                                          {"&amp;", "&"}});
}

absl::Status StatusOf(const HttpAnswer& answer, std::string_view what) {
  const bool good = answer.status >= 200 && answer.status < 300;
  // Completing an upload may fail after the head with 200 was sent.
  if (good && answer.body.find("<Error>") == std::string::npos) {
    return absl::OkStatus();
  }
  std::string code = XmlText(answer.body, "Code");
  absl::StatusCode meaning =
      good ? absl::StatusCode::kUnavailable : CodeOfHttp(answer.status);
  for (const auto& [known, known_meaning] : kCodes) {
    if (code == known) meaning = known_meaning;
  }
  // Answers to HEAD and those of proxies have no document.
  if (code.empty()) code = "no S3 error";
  std::string text =
      absl::StrCat(std::string(what), ": ", code, " (", answer.status, ")");
  const std::string message = XmlText(answer.body, "Message");
  if (!message.empty()) absl::StrAppend(&text, ": ", message);
  const std::string region = answer.Header("x-amz-bucket-region");
  if (meaning == absl::StatusCode::kFailedPrecondition && !region.empty()) {
    absl::StrAppend(&text, "; the bucket is in the region ", region);
  }
  return absl::Status(meaning, text);
}

}  // namespace tessera::storage
