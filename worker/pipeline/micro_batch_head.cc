#include "worker/pipeline/micro_batch_head.h"

#include <cstring>
#include <type_traits>

namespace tessera::pipeline {
namespace {

// Appends numbers as they lie in memory: the ranks run one build.
class Writer {
 public:
  template <typename T>
  void Number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    Append(&value, sizeof(value));
  }

  void Bytes(std::span<const std::byte> value) {
    Number<uint64_t>(value.size());
    Append(value.data(), value.size());
  }

  void Text(const std::string& value) {
    Bytes(std::as_bytes(std::span(value)));
  }

  std::vector<std::byte> Take() { return std::move(bytes_); }

 private:
  void Append(const void* data, size_t size) {
    const size_t before = bytes_.size();
    bytes_.resize(before + size);
    if (size > 0) std::memcpy(bytes_.data() + before, data, size);
  }

  std::vector<std::byte> bytes_;
};

// Reads them in the same order; what is missing makes everything after it zero
// and `ok` false.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  T Number() {
    T value{};
    const std::span<const std::byte> taken = Take(sizeof(T));
    if (taken.size() == sizeof(T)) std::memcpy(&value, taken.data(), sizeof(T));
    return value;
  }

  std::span<const std::byte> Bytes() { return Take(Number<uint64_t>()); }

  std::string Text() {
    const std::span<const std::byte> taken = Bytes();
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

  // Returns how many items of at least `bytes` bytes follow.
  uint64_t Count(size_t bytes) {
    const auto count = Number<uint64_t>();
    if (count > bytes_.size() / bytes) ok_ = false;
    return ok_ ? count : 0;
  }

  // Whether everything was there, and nothing is left.
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  std::span<const std::byte> Take(uint64_t size) {
    if (!ok_ || size > bytes_.size()) {
      ok_ = false;
      return {};
    }
    const std::span<const std::byte> taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

void Write(const AdapterReference& adapter, Writer& writer) {
  writer.Text(adapter.name);
  writer.Text(adapter.sha256);
  writer.Text(adapter.digest);
  writer.Number<uint8_t>(adapter.allow_unmatched ? 1 : 0);
  writer.Number(adapter.scale);
}

AdapterReference ReadAdapter(Reader& reader) {
  AdapterReference adapter;
  adapter.name = reader.Text();
  adapter.sha256 = reader.Text();
  adapter.digest = reader.Text();
  adapter.allow_unmatched = reader.Number<uint8_t>() != 0;
  adapter.scale = reader.Number<float>();
  return adapter;
}

void Write(const MatrixBytes& matrix, Writer& writer) {
  writer.Number(static_cast<uint8_t>(matrix.dtype));
  writer.Number(matrix.rows);
  writer.Number(matrix.columns);
  writer.Bytes(matrix.elements);
}

MatrixBytes ReadMatrix(Reader& reader) {
  MatrixBytes matrix;
  matrix.dtype = static_cast<kernels::DType>(reader.Number<uint8_t>());
  matrix.rows = reader.Number<int64_t>();
  matrix.columns = reader.Number<int64_t>();
  const std::span<const std::byte> elements = reader.Bytes();
  matrix.elements.assign(elements.begin(), elements.end());
  return matrix;
}

}  // namespace

std::vector<std::byte> EncodeHead(const MicroBatchHead& head) {
  Writer writer;
  writer.Number(head.micro_batch);
  writer.Number(head.height);
  writer.Number(head.width);
  writer.Bytes(std::as_bytes(std::span(head.timesteps)));
  writer.Number<uint8_t>(head.arranged ? 1 : 0);
  writer.Number<uint64_t>(head.rows.size());
  for (const RowReference& row : head.rows) {
    writer.Number(row.prompt);
    writer.Number<uint64_t>(row.adapters.size());
    for (const AdapterReference& adapter : row.adapters) {
      Write(adapter, writer);
    }
  }
  writer.Number<uint64_t>(head.prompts.size());
  for (const PromptEmbedding& prompt : head.prompts) {
    writer.Number(prompt.prompt);
    Write(prompt.text, writer);
    Write(prompt.added, writer);
  }
  return writer.Take();
}

absl::StatusOr<MicroBatchHead> DecodeHead(std::span<const std::byte> bytes) {
  Reader reader(bytes);
  MicroBatchHead head;
  head.micro_batch = reader.Number<int64_t>();
  head.height = reader.Number<int64_t>();
  head.width = reader.Number<int64_t>();
  const std::span<const std::byte> timesteps = reader.Bytes();
  head.timesteps.resize(timesteps.size() / sizeof(float));
  if (!head.timesteps.empty()) {
    std::memcpy(head.timesteps.data(), timesteps.data(),
                head.timesteps.size() * sizeof(float));
  }
  head.arranged = reader.Number<uint8_t>() != 0;
  head.rows.resize(reader.Count(sizeof(int64_t)));
  for (RowReference& row : head.rows) {
    row.prompt = reader.Number<int64_t>();
    row.adapters.resize(reader.Count(sizeof(uint64_t)));
    for (AdapterReference& adapter : row.adapters) {
      adapter = ReadAdapter(reader);
    }
  }
  head.prompts.resize(reader.Count(sizeof(int64_t)));
  for (PromptEmbedding& prompt : head.prompts) {
    prompt.prompt = reader.Number<int64_t>();
    prompt.text = ReadMatrix(reader);
    prompt.added = ReadMatrix(reader);
  }
  if (!reader.done()) {
    return absl::InvalidArgumentError("not the head of a micro-batch");
  }
  return head;
}

}  // namespace tessera::pipeline
