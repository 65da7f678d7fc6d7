#include "client/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/glyphs.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace tessera::client {
namespace {

namespace fs = std::filesystem;

constexpr int kLargestCell = 256;  // pixels
constexpr int kMargin = 8;         // pixels between cells
// Lines of the prompt below a picture; longer prompts are cut.
constexpr int kPromptLines = 2;
constexpr int kLineGap = 3;           // font pixels between lines
constexpr int kDoubleFontCell = 200;  // pixels from which letters are doubled
constexpr int kSmallestCell = 64;     // pixels; room for a label
// Nearly white: pictures with a white edge stay visible.
constexpr uint8_t kPaper = 250;

// The sizes that every cell of a sheet shares.
struct Cell {
  int picture = 0;  // pixels, both ways
  int scale = 1;    // of the font

  int line() const { return (kGlyphHeight + kLineGap) * scale; }
  int width() const { return picture + kMargin; }
  int height() const {
    return picture + kMargin + (1 + kPromptLines) * line() + kLineGap;
  }
  int letters() const { return picture / ((kGlyphWidth + 1) * scale); }
};

// Makes all cells as large as the largest picture needs, within limits, so that
// rows and columns line up.
Cell SizeCell(const std::vector<SheetItem>& items) {
  int largest = kSmallestCell;
  for (const SheetItem& item : items) {
    largest = std::max({largest, item.picture.width, item.picture.height});
  }
  Cell cell;
  cell.picture = std::min(largest, kLargestCell);
  cell.scale = cell.picture >= kDoubleFontCell ? 2 : 1;
  return cell;
}

// Copies a picture whose pixels all lie inside of `onto`.
void Paste(const Picture& from, int x, int y, Picture& onto) {
  for (int row = 0; row < from.height; ++row) {
    std::copy_n(from.At(0, row), 3 * from.width, onto.At(x, y + row));
  }
}

// Draws one picture, centred in its square, and the text below it.
void DrawItem(const SheetItem& item, const Cell& cell, int x, int y,
              Picture& sheet) {
  const Picture small = ShrinkToFit(item.picture, cell.picture);
  Paste(small, x + (cell.picture - small.width) / 2,
        y + (cell.picture - small.height) / 2, sheet);
  int line = y + cell.picture + kLineGap * cell.scale;
  // The label and the prompt differ in nothing but their number of lines.
  for (const auto& [text, lines] :
       {std::pair(&item.label, 1), std::pair(&item.prompt, kPromptLines)}) {
    for (const std::string& words : WrapLabel(*text, cell.letters(), lines)) {
      DrawText(sheet, x, line, cell.scale, words);
      line += cell.line();
    }
  }
}

// Keeps a text the font can draw, a letter a character.
// One '?' for every character that is not printable ASCII.
std::string ToAscii(std::string_view text) {
  std::string ascii;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte & 0xC0) == 0x80) continue;  // within a UTF-8 sequence
    ascii += byte >= 0x80 ? '?' : byte < 0x20 ? ' ' : c;
  }
  return ascii;
}

// Reads a file into memory; empty when it cannot be read. Called for files that
// ReadPng has just accepted.
std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// One line of the manifest.
struct ManifestLine {
  std::string custom_id;
  int64_t index = 0;
  std::string path;
};

// Reads what the sheet needs of a line; other fields may be missing. Errors:
// INVALID_ARGUMENT, to which the caller adds the place.
absl::StatusOr<ManifestLine> ParseLine(const std::string& text) {
  // Without exceptions: what is not JSON is "discarded" and no object.
  const auto row = nlohmann::json::parse(text, nullptr, false);
  const auto has = [&](const char* name,
                       bool (nlohmann::json::*is)() const noexcept) {
    return row.is_object() && row.contains(name) && (row[name].*is)();
  };
  if (!has("custom_id", &nlohmann::json::is_string) ||
      !has("path", &nlohmann::json::is_string) ||
      !has("index", &nlohmann::json::is_number_integer)) {
    return absl::InvalidArgumentError("not a line of a manifest");
  }
  return ManifestLine{row["custom_id"].get<std::string>(),
                      row["index"].get<int64_t>(),
                      row["path"].get<std::string>()};
}

// Reads a picture and the prompt that is written in it. Errors: those of
// ReadPng.
absl::StatusOr<SheetItem> ReadItem(const std::string& folder,
                                   const ManifestLine& line) {
  const std::string path = (fs::path(folder) / line.path).string();
  ASSIGN_OR_RETURN(Picture picture, ReadPng(path));
  SheetItem item;
  // Shrunk at once: hundreds of full pictures would fill the memory.
  item.picture = ShrinkToFit(picture, kLargestCell);
  item.label = absl::StrCat(line.custom_id, " #", line.index);
  item.prompt = PromptOf(FindPngText(ReadWhole(path), "parameters"));
  return item;
}

}  // namespace

std::string PromptOf(std::string_view parameters) {
  std::string_view prompt = parameters;
  // What follows the prompt begins a line, so its words may stand inside of the
  // prompt.
  for (const std::string_view end : {"Negative prompt: ", "Steps: "}) {
    // A picture without a prompt begins with one of them.
    if (prompt.starts_with(end)) return "";
    const size_t at = prompt.find(absl::StrCat("\n", std::string(end)));
    prompt = prompt.substr(0, at);
  }
  std::string text(prompt);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::vector<std::string> WrapLabel(std::string_view text, int columns,
                                   int lines) {
  std::string rest = ToAscii(text);
  // Room for at least one letter and "..".
  const size_t width = std::max(columns, 3);
  std::vector<std::string> wrapped;
  while (!rest.empty() && static_cast<int>(wrapped.size()) < lines) {
    if (rest.size() <= width) {
      wrapped.push_back(std::exchange(rest, ""));
      break;
    }
    const bool last = static_cast<int>(wrapped.size()) + 1 == lines;
    if (last) {
      // The mark replaces the end, as the line must not grow.
      wrapped.push_back(rest.substr(0, width - 2) + "..");
      break;
    }
    // A space right behind the last column is a fine place as well.
    const size_t space = rest.rfind(' ', width);
    const bool at_space = space != std::string::npos && space > 0;
    // A word longer than the line is cut where the line ends.
    wrapped.push_back(rest.substr(0, at_space ? space : width));
    rest = rest.substr(at_space ? space + 1 : width);
  }
  return wrapped;
}

Picture LayOutSheet(const std::vector<SheetItem>& items, int columns) {
  const int count = static_cast<int>(items.size());
  // At least as many columns as rows: sheets are looked at on wide screens.
  const int square =
      static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int across =
      // No more columns than pictures, so that a short row is not padded.
      std::clamp(columns > 0 ? columns : square, 1, std::max(count, 1));
  const int down = (count + across - 1) / across;
  const Cell cell = SizeCell(items);
  Picture sheet = Picture::Filled(across * cell.width() + kMargin,
                                  down * cell.height() + kMargin, kPaper);
  for (int i = 0; i < count; ++i) {
    DrawItem(items[i], cell, kMargin + i % across * cell.width(),
             kMargin + i / across * cell.height(), sheet);
  }
  return sheet;
}

absl::StatusOr<SheetReport> WriteContactSheet(const std::string& folder,
                                              int columns) {
  const std::string manifest = (fs::path(folder) / "manifest.jsonl").string();
  std::ifstream file(manifest);
  if (!file) {
    return absl::InvalidArgumentError(
        absl::StrCat(manifest, ": no manifest of a finished job here"));
  }
  SheetReport report;
  std::vector<SheetItem> items;
  for (std::string text; std::getline(file, text);) {
    if (text.empty()) continue;
    ++report.total;
    // Counted on, for the report, but not looked at.
    if (report.total > kMostSheetPictures) continue;
    const absl::StatusOr<ManifestLine> line = ParseLine(text);
    // A manifest is sealed whole, so a bad line means damage, not a race.
    if (!line.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(manifest, ":", report.total, ": ",
                       std::string(line.status().message())));
    }
    absl::StatusOr<SheetItem> item = ReadItem(folder, *line);
    if (item.ok()) {
      items.push_back(*std::move(item));
      // One bad picture must not hide the others.
    } else {
      ++report.damaged;
    }
  }
  if (items.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(manifest, ": no picture to show"));
  }
  report.shown = static_cast<int>(items.size());
  report.path = (fs::path(folder) / "contact-sheet.png").string();
  RETURN_IF_ERROR(WritePng(LayOutSheet(items, columns), report.path));
  return report;
}

}  // namespace tessera::client
