# Every package the project uses, each with its reason.

find_package(Threads REQUIRED)
find_package(absl REQUIRED CONFIG)           # Status, strings, flags, synchronisation, hash maps
find_package(Protobuf REQUIRED)              # the wire format of the services
find_package(gRPC REQUIRED CONFIG)           # the services, health and reflection
find_package(prometheus-cpp REQUIRED CONFIG COMPONENTS pull)  # /metrics and /healthz
find_package(civetweb REQUIRED CONFIG COMPONENTS civetweb-cpp)  # the HTTP server that prometheus-cpp uses
find_package(nlohmann_json REQUIRED CONFIG)  # model configs, job.json, manifests
find_package(SQLite3 REQUIRED)               # the job store of a single machine
find_package(PNG REQUIRED)                   # pictures with their parameters as text
find_package(Gloo REQUIRED CONFIG)           # ranks of a pipeline on CPUs, over TCP
find_package(OpenSSL REQUIRED COMPONENTS Crypto)  # SHA-256
find_package(CURL REQUIRED)                  # S3, with its signatures

find_package(PkgConfig REQUIRED)
pkg_check_modules(highway REQUIRED IMPORTED_TARGET libhwy)      # SIMD with dynamic dispatch
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)  # NFC and Unicode classes of the tokenizer
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)        # stored prompt segments
pkg_check_modules(simdjson REQUIRED IMPORTED_TARGET simdjson)   # prompt lines, validated at memory speed

if(TESSERA_TESTS)
  find_package(GTest REQUIRED CONFIG)        # unit, contract, integration tests
  if(TESSERA_BENCHMARKS)
    find_package(benchmark REQUIRED CONFIG)  # tests/bench
  endif()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/Cuda.cmake)  # CUDA, cuDNN, cuBLASLt, NCCL: all optional
