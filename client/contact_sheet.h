// One picture that shows all pictures of a job.
#ifndef TESSERA_CLIENT_CONTACT_SHEET_H_
#define TESSERA_CLIENT_CONTACT_SHEET_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/picture.h"

namespace tessera::client {

// More pictures than this make a sheet that nobody can look at.
inline constexpr int kMostSheetPictures = 400;

// One place of the sheet.
struct SheetItem {
  Picture picture;
  std::string label;   // shown below, one line; cut to the cell's width
  std::string prompt;  // shown below the label, cut to two lines
};

// A written sheet.
struct SheetReport {
  std::string path;
  int shown = 0;    // pictures on the sheet
  int total = 0;    // pictures in the manifest
  int damaged = 0;  // of those looked at, how many could not be read
};

// Returns the prompt from A1111's parameters text: what stands before the
// lines "Negative prompt: …" and "Steps: …", line breaks made spaces.
std::string PromptOf(std::string_view parameters);

// Cuts `text` into at most `lines` lines of at most `columns` characters, at
// spaces where it can; the last ends with ".." when something was left out.
// What is not ASCII becomes one '?' a character.
std::vector<std::string> WrapLabel(std::string_view text, int columns,
                                   int lines);

// Lays the items in rows of `columns` (0: as square as possible). Cells are as
// large as the largest picture, at most 256 pixels; larger ones are shrunk.
Picture LayOutSheet(const std::vector<SheetItem>& items, int columns);

// Draws the pictures that FOLDER/manifest.jsonl lists into
// FOLDER/contact-sheet.png, the first kMostSheetPictures of them. Errors:
// INVALID_ARGUMENT when the manifest is missing, damaged or empty; INTERNAL
// when the sheet cannot be written.
absl::StatusOr<SheetReport> WriteContactSheet(const std::string& folder,
                                              int columns);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_CONTACT_SHEET_H_
