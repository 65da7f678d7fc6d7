// Builds the bytes of safetensors files, good and bad ones.
#ifndef TESSERA_TESTS_UNIT_WORKER_MODEL_SAFETENSORS_BYTES_H_
#define TESSERA_TESTS_UNIT_WORKER_MODEL_SAFETENSORS_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tessera::model {

// Returns `value` in `bytes` bytes, little endian.
inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(value >> (8 * i) & 0xFF);
  }
  return text;
}

// Returns a file of `header`, preceded by its true length, and `data`.
inline std::string SafetensorsBytes(const std::string& header,
                                    const std::string& data) {
  return LittleEndian(header.size(), 8) + header + data;
}

// Returns the data of a 16-bit tensor whose elements have these bit patterns.
inline std::string Bits16(const std::vector<uint16_t>& patterns) {
  std::string data;
  for (const uint16_t pattern : patterns) data += LittleEndian(pattern, 2);
  return data;
}

// Returns the data of a 32-bit tensor whose elements have these bit patterns.
inline std::string Bits32(const std::vector<uint32_t>& patterns) {
  std::string data;
  for (const uint32_t pattern : patterns) data += LittleEndian(pattern, 4);
  return data;
}

// Returns a header of one tensor "t" at the start of the data.
inline std::string OneTensor(const std::string& dtype, const std::string& shape,
                             const std::string& offsets) {
  return R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape +
         R"(,"data_offsets":)" + offsets + "}}";
}

}  // namespace tessera::model

#endif  // TESSERA_TESTS_UNIT_WORKER_MODEL_SAFETENSORS_BYTES_H_
