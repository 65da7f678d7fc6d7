// What moves latents, row by row.
#include <vector>

#include "kernels/cuda/backend.h"
#include "kernels/cuda/op_table.h"
#include "kernels/cuda/sampler_step.h"
#include "kernels/cuda/scale_rows.h"

namespace tessera::kernels::cuda {
namespace {

// Elements of one entry of the first axis.
int64_t RowElements(const Shape& shape) {
  return shape[0] == 0 ? 0 : shape.elements() / shape[0];
}

// Uploads rows of numbers that are arguments of an op.
template <typename Row>
absl::StatusOr<const Row*> UploadRows(Backend& backend,
                                      const std::vector<Row>& rows) {
  const absl::StatusOr<const void*> place = backend.Upload(
      rows.data(), static_cast<int64_t>(rows.size() * sizeof(Row)));
  if (!place.ok()) return place.status();
  return static_cast<const Row*>(*place);
}

}  // namespace

void ScaleRows(Stream& stream, const ScaleRowsArgs& args) {
  Backend& backend = Backend::Of(stream);
  std::vector<ScaledRow> rows;
  for (const kernels::ScaledRow& row : args.rows) {
    rows.push_back({.source = row.source, .scale = row.scale});
  }
  const absl::StatusOr<const ScaledRow*> uploaded = UploadRows(backend, rows);
  if (!uploaded.ok()) return stream.Fail(uploaded.status());
  const ScaleRowsParams params{.x = args.x.data,
                               .x_dtype = args.x.dtype,
                               .rows = *uploaded,
                               .out = args.out.data,
                               .out_dtype = args.out.dtype,
                               .out_rows = args.out.shape[0],
                               .row_elements = RowElements(args.out.shape)};
  backend.Report(stream, LaunchScaleRows(params, backend.queue()), "scale_rows",
                 args.out.shape);
}

void SamplerStep(Stream& stream, const SamplerStepArgs& args) {
  Backend& backend = Backend::Of(stream);
  if (args.rows.empty()) return;
  std::vector<SamplerRow> rows;
  for (const kernels::SamplerRow& row : args.rows) {
    rows.push_back({.cond = row.cond,
                    .uncond = row.uncond,
                    .guidance = row.guidance,
                    .x_scale = row.x_scale,
                    .model_scale = row.model_scale,
                    .extra_scale = row.extra_scale});
  }
  const absl::StatusOr<const SamplerRow*> uploaded = UploadRows(backend, rows);
  if (!uploaded.ok()) return stream.Fail(uploaded.status());
  const SamplerStepParams params{
      .x = args.x.f32(),
      .model_output = args.model_output.data,
      .model_dtype = args.model_output.dtype,
      .extra = args.extra.has_value() ? args.extra->f32() : nullptr,
      .rows = *uploaded,
      .out = args.out.f32(),
      .row_count = args.x.shape[0],
      .row_elements = RowElements(args.x.shape)};
  backend.Report(stream, LaunchSamplerStep(params, backend.queue()),
                 "sampler_step", args.x.shape);
}

}  // namespace tessera::kernels::cuda
