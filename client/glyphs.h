// A small fixed font for the labels of contact sheets.
#ifndef TESSERA_CLIENT_GLYPHS_H_
#define TESSERA_CLIENT_GLYPHS_H_

namespace tessera::client {

inline constexpr int kGlyphWidth = 5;   // pixels
inline constexpr int kGlyphHeight = 7;  // pixels

// Returns whether the pixel (`x`, `y`) of `letter` is ink. (0, 0) is the upper
// left corner; what is not printable ASCII looks like '?'.
bool GlyphPixel(char letter, int x, int y);

}  // namespace tessera::client

#endif  // TESSERA_CLIENT_GLYPHS_H_
