// Conversion between the float types, on the host.
#ifndef TESSERA_KERNELS_CONVERT_H_
#define TESSERA_KERNELS_CONVERT_H_

#include <cstdint>

#include "kernels/dtype.h"

namespace tessera::kernels {

// Copies elements [begin, end) of an array to the same places of another:
// bytes where the types are equal, else numbers rounded to the nearest, ties
// to even. Types as in CopyArgs; addresses need no alignment.
void ConvertElements(const void* source, DType from, void* out, DType to,
                     int64_t begin, int64_t end);

// Says whether `elements` numbers of a float type are all finite. The address
// needs no alignment.
bool AllFinite(const void* source, DType dtype, int64_t elements);

}  // namespace tessera::kernels

#endif  // TESSERA_KERNELS_CONVERT_H_
