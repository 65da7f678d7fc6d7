// The UNet as an ordered list of pieces.
#ifndef TESSERA_WORKER_MODEL_UNET_PIECE_H_
#define TESSERA_WORKER_MODEL_UNET_PIECE_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

namespace tessera::model {

// One step of the UNet's forward pass: between any two pieces the net may be
// cut. The state that crosses a cut is the hidden picture and the skips saved
// before it and taken behind it.
struct UNetPiece {
  // What the piece computes; conv out includes its norm and activation.
  enum class Kind {
    kConvIn,
    kResnet,
    kTransformer,
    kDownsample,
    kUpsample,
    kConvOut
  };

  Kind kind = Kind::kConvIn;
  std::string name;     // of the layer in the model file
  int64_t index = 0;    // among the loaded pieces of its kind; -1: not loaded
  int level = 0;        // of the output: its size is halved `level` times
  int64_t outputs = 0;  // channels of the output
  // Which skip the piece saves its output as, or joins to its input; -1: none.
  // Skips are numbered in the order of saving and named by the saving piece.
  int saves_skip = -1;
  int takes_skip = -1;
};

// Neighbouring pieces of a UNet, from `begin` to before `end`.
struct PieceRange {
  size_t begin = 0;
  size_t end = 0;

  bool empty() const { return begin == end; }
  bool Contains(size_t piece) const { return begin <= piece && piece < end; }
  // All pieces, however many there are.
  static PieceRange All() { return {0, std::numeric_limits<size_t>::max()}; }
  friend bool operator==(const PieceRange&, const PieceRange&) = default;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_UNET_PIECE_H_
