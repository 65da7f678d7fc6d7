#include "kernels/cuda/gemm_call.h"

#include <bit>
#include <utility>

#include "common/status_macros.h"

namespace tessera::kernels::cuda {
namespace {

// Is alpha always, and beta where there is a residual.
alignas(16) constexpr float kOne = 1;
constexpr float kZero = 0;

// Names an element type as CUDA does.
cudaDataType_t DataType(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return CUDA_R_16F;
    case DType::kBF16:
      return CUDA_R_16BF;
    default:
      return CUDA_R_32F;
  }
}

// Stand here as numbers, for libraries before 12.9 lack them: how scales are
// read, and that each row of an operand has one.
constexpr auto kWeightScaleMode =
    static_cast<cublasLtMatmulDescAttributes_t>(31);
constexpr auto kInputScaleMode =
    static_cast<cublasLtMatmulDescAttributes_t>(32);
constexpr int32_t kScaleOfEachRow = 3;

// Converts the library's opaque words.
cublasLtMatmulAlgo_t Unpack(const GemmAlgorithm& algorithm) {
  static_assert(sizeof(cublasLtMatmulAlgo_t) == sizeof(GemmAlgorithm));
  return std::bit_cast<cublasLtMatmulAlgo_t>(algorithm);
}

}  // namespace

GemmCall::GemmCall(const CublasLtLibrary& library, cublasLtHandle_t handle,
                   const GemmKey& key)
    : library_(library), handle_(handle), key_(key) {}

absl::StatusOr<std::unique_ptr<GemmCall>> GemmCall::Create(
    const CublasLtLibrary& library, cublasLtHandle_t handle, const GemmKey& key,
    int64_t m, int64_t a_pitch) {
  std::unique_ptr<GemmCall> call(new GemmCall(library, handle, key));
  RETURN_IF_ERROR(call->Describe(m, a_pitch));
  return call;
}

absl::StatusOr<GemmCall::Layout> GemmCall::MakeLayout(cudaDataType_t type,
                                                      int64_t rows,
                                                      int64_t columns,
                                                      int64_t pitch) const {
  cublasLtMatrixLayout_t layout = nullptr;
  RETURN_IF_ERROR(library_.ToStatus(
      library_.create_layout(&layout, type, static_cast<uint64_t>(rows),
                             static_cast<uint64_t>(columns), pitch),
      "cublasLtMatrixLayoutCreate"));
  return Layout(layout, {library_.destroy_layout});
}

// Row-major [rows, columns] is column-major [columns, rows].
absl::Status GemmCall::Describe(int64_t m, int64_t a_pitch) {
  cublasLtMatmulDesc_t operation = nullptr;
  RETURN_IF_ERROR(library_.ToStatus(
      library_.create_desc(&operation, CUBLAS_COMPUTE_32F, CUDA_R_32F),
      "cublasLtMatmulDescCreate"));
  operation_ = Operation(operation, {library_.destroy_desc});
  const cublasOperation_t transposed = CUBLAS_OP_T;
  RETURN_IF_ERROR(library_.ToStatus(
      library_.set_desc(operation, CUBLASLT_MATMUL_DESC_TRANSA, &transposed,
                        sizeof(transposed)),
      "cublasLtMatmulDescSetAttribute(TRANSA)"));
  const cublasLtEpilogue_t epilogue =
      key_.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  RETURN_IF_ERROR(library_.ToStatus(
      library_.set_desc(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                        sizeof(epilogue)),
      "cublasLtMatmulDescSetAttribute(EPILOGUE)"));
  // The library asks for some bias before it judges algorithms; it reads none.
  if (key_.bias) RETURN_IF_ERROR(SetBias(&kOne));
  if (key_.fp8) {
    for (const auto mode : {kWeightScaleMode, kInputScaleMode}) {
      RETURN_IF_ERROR(
          library_.ToStatus(library_.set_desc(operation, mode, &kScaleOfEachRow,
                                              sizeof(kScaleOfEachRow)),
                            "cublasLtMatmulDescSetAttribute(SCALE_MODE)"));
    }
    RETURN_IF_ERROR(SetScales(&kOne, &kOne));
  }
  const cudaDataType_t out_type = DataType(key_.dtype);
  const cudaDataType_t in_type = key_.fp8 ? CUDA_R_8F_E4M3 : out_type;
  ASSIGN_OR_RETURN(weights_, MakeLayout(in_type, key_.k, key_.n, key_.k));
  ASSIGN_OR_RETURN(a_, MakeLayout(in_type, key_.k, m, a_pitch));
  ASSIGN_OR_RETURN(out_, MakeLayout(out_type, key_.n, m, key_.n));
  return absl::OkStatus();
}

absl::Status GemmCall::SetScales(const float* weights, const float* a) {
  RETURN_IF_ERROR(library_.ToStatus(
      library_.set_desc(operation_.get(), CUBLASLT_MATMUL_DESC_A_SCALE_POINTER,
                        &weights, sizeof(weights)),
      "cublasLtMatmulDescSetAttribute(A_SCALE_POINTER)"));
  return library_.ToStatus(
      library_.set_desc(operation_.get(), CUBLASLT_MATMUL_DESC_B_SCALE_POINTER,
                        &a, sizeof(a)),
      "cublasLtMatmulDescSetAttribute(B_SCALE_POINTER)");
}

absl::StatusOr<std::vector<GemmAlgorithm>> GemmCall::Candidates(
    int count) const {
  cublasLtMatmulPreference_t preference = nullptr;
  RETURN_IF_ERROR(library_.ToStatus(library_.create_preference(&preference),
                                    "cublasLtMatmulPreferenceCreate"));
  const std::unique_ptr<cublasLtMatmulPreferenceOpaque_t,
                        decltype(library_.destroy_preference)>
      owner(preference, library_.destroy_preference);
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute,
                       auto value) {
    return library_.ToStatus(
        library_.set_preference(preference, attribute, &value, sizeof(value)),
        "cublasLtMatmulPreferenceSetAttribute");
  };
  RETURN_IF_ERROR(set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                      static_cast<uint64_t>(kGemmLibraryBytes)));
  // No scheme but none: no sum over k may be split.
  RETURN_IF_ERROR(set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                      static_cast<uint32_t>(CUBLASLT_REDUCTION_SCHEME_NONE)));
  const auto alignment = static_cast<uint32_t>(key_.alignment);
  for (const auto attribute : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                               CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                               CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES,
                               CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    RETURN_IF_ERROR(set(attribute, alignment));
  }

  std::vector<cublasLtMatmulHeuristicResult_t> results(
      static_cast<size_t>(count));
  int found = 0;
  RETURN_IF_ERROR(library_.ToStatus(
      library_.get_heuristic(handle_, operation_.get(), weights_.get(),
                             a_.get(), out_.get(), out_.get(), preference,
                             count, results.data(), &found),
      "cublasLtMatmulAlgoGetHeuristic"));
  results.resize(static_cast<size_t>(found));
  std::vector<GemmAlgorithm> algorithms;
  for (const cublasLtMatmulHeuristicResult_t& result : results) {
    if (result.state == CUBLAS_STATUS_SUCCESS && !SplitsSums(result.algo)) {
      algorithms.push_back(std::bit_cast<GemmAlgorithm>(result.algo));
    }
  }
  return algorithms;
}

// Asks the algorithm itself, for a preference is but a wish. What cannot tell
// is refused.
bool GemmCall::SplitsSums(const cublasLtMatmulAlgo_t& algorithm) const {
  int32_t splits = 0;
  uint32_t scheme = 0;
  size_t written = 0;
  if (library_.get_algo_config(&algorithm, CUBLASLT_ALGO_CONFIG_SPLITK_NUM,
                               &splits, sizeof(splits),
                               &written) != CUBLAS_STATUS_SUCCESS ||
      library_.get_algo_config(
          &algorithm, CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, &scheme,
          sizeof(scheme), &written) != CUBLAS_STATUS_SUCCESS) {
    return true;
  }
  return splits < 0 || splits > 1 || scheme != CUBLASLT_REDUCTION_SCHEME_NONE;
}

bool GemmCall::Supports(const GemmAlgorithm& algorithm) const {
  const cublasLtMatmulAlgo_t unpacked = Unpack(algorithm);
  cublasLtMatmulHeuristicResult_t result = {};
  return library_.check_algo(handle_, operation_.get(), weights_.get(),
                             a_.get(), out_.get(), out_.get(), &unpacked,
                             &result) == CUBLAS_STATUS_SUCCESS &&
         static_cast<int64_t>(result.workspaceSize) <= kGemmLibraryBytes;
}

absl::Status GemmCall::SetBias(const void* bias) {
  return library_.ToStatus(
      library_.set_desc(operation_.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER,
                        &bias, sizeof(bias)),
      "cublasLtMatmulDescSetAttribute(BIAS_POINTER)");
}

absl::Status GemmCall::Run(const GemmOperands& operands,
                           const GemmAlgorithm& algorithm,
                           cudaStream_t stream) {
  if (key_.bias) RETURN_IF_ERROR(SetBias(operands.bias));
  if (key_.fp8) {
    RETURN_IF_ERROR(SetScales(operands.weight_scales, operands.a_scales));
  }
  const cublasLtMatmulAlgo_t unpacked = Unpack(algorithm);
  const void* const c = key_.residual ? operands.residual : operands.out;
  return library_.ToStatus(
      library_.matmul(handle_, operation_.get(), &kOne, operands.weights,
                      weights_.get(), operands.a, a_.get(),
                      key_.residual ? &kOne : &kZero, c, out_.get(),
                      operands.out, out_.get(), &unpacked, operands.workspace,
                      static_cast<size_t>(kGemmLibraryBytes), stream),
      "cublasLtMatmul");
}

}  // namespace tessera::kernels::cuda
