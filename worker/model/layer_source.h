// Where the layers of a net come from while it loads.
#ifndef TESSERA_WORKER_MODEL_LAYER_SOURCE_H_
#define TESSERA_WORKER_MODEL_LAYER_SOURCE_H_

#include "kernels/device.h"
#include "worker/model/layer_table.h"
#include "worker/model/weight_reader.h"

namespace tessera::model {

// Handed down through every Load: the file to read, the device to pack for and
// the table to number layers in. Borrows all three.
struct LayerSource {
  const WeightReader& reader;
  kernels::Device& device;
  LayerTable& table;
};

}  // namespace tessera::model

#endif  // TESSERA_WORKER_MODEL_LAYER_SOURCE_H_
