# One target a module. Sources and headers are listed, never globbed.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(TESSERA_CCACHE ccache)
if(TESSERA_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TESSERA_CCACHE})
endif()
set(CMAKE_CUDA_COMPILER_LAUNCHER
    ${PROJECT_SOURCE_DIR}/cmake/ptxas_report.sh ${TESSERA_CCACHE})
find_program(TESSERA_MOLD mold)
if(TESSERA_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# Warnings and instrumentation of our own code; third-party and generated code
# does not link it.
add_library(tessera_options INTERFACE)
target_include_directories(tessera_options INTERFACE ${PROJECT_SOURCE_DIR})
set(tessera_cxx_options
  -Wall -Wextra -Wno-missing-field-initializers -Wno-unused-parameter
  # Equal bits on every target: the compiler may not fuse what we did not.
  -ffp-contract=off
  # A loop that the host does not unroll, as a GPU would, is no fault.
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wno-pass-failed>
  $<$<BOOL:${TESSERA_WERROR}>:-Werror>)
target_compile_options(tessera_options INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:${tessera_cxx_options}>")
target_compile_definitions(tessera_options INTERFACE
  TESSERA_VERSION="${PROJECT_VERSION}")

if(TESSERA_SANITIZE)
  add_compile_options(-fsanitize=${TESSERA_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TESSERA_SANITIZE})
endif()
if(TESSERA_SANITIZE MATCHES "thread")
  include(${CMAKE_CURRENT_LIST_DIR}/ThreadSanitizer.cmake)
endif()
if(TESSERA_FUZZERS)
  # Every module reports what it covers, and a finding ends the fuzz target.
  add_compile_options(-fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(TESSERA_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# tessera_library(NAME HDRS … SRCS … DEPS …): the module tessera::NAME.
function(tessera_library name)
  cmake_parse_arguments(arg "" "" "HDRS;SRCS;DEPS" ${ARGN})
  if(arg_SRCS)
    add_library(tessera_${name} STATIC ${arg_SRCS} ${arg_HDRS})
    target_link_libraries(tessera_${name} PUBLIC tessera_options ${arg_DEPS})
  else()
    add_library(tessera_${name} INTERFACE ${arg_HDRS})
    target_link_libraries(tessera_${name} INTERFACE tessera_options ${arg_DEPS})
  endif()
  add_library(tessera::${name} ALIAS tessera_${name})
endfunction()

# tessera_binary(NAME SRCS … DEPS …): an executable of that file name.
function(tessera_binary name)
  cmake_parse_arguments(arg "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${arg_SRCS})
  target_link_libraries(${name} PRIVATE tessera_options ${arg_DEPS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# tessera_proto_library(NAME PROTOS … DEPS …): messages and services.
function(tessera_proto_library name)
  cmake_parse_arguments(arg "" "" "PROTOS;DEPS" ${ARGN})
  add_library(tessera_${name} STATIC ${arg_PROTOS})
  target_link_libraries(tessera_${name}
    PUBLIC protobuf::libprotobuf gRPC::grpc++ ${arg_DEPS})
  target_include_directories(tessera_${name} SYSTEM
    PUBLIC ${CMAKE_CURRENT_BINARY_DIR})
  protobuf_generate(TARGET tessera_${name} LANGUAGE cpp
    IMPORT_DIRS ${CMAKE_CURRENT_SOURCE_DIR}
    PROTOC_OUT_DIR ${CMAKE_CURRENT_BINARY_DIR})
  protobuf_generate(TARGET tessera_${name} LANGUAGE grpc
    IMPORT_DIRS ${CMAKE_CURRENT_SOURCE_DIR}
    PROTOC_OUT_DIR ${CMAKE_CURRENT_BINARY_DIR}
    GENERATE_EXTENSIONS .grpc.pb.h .grpc.pb.cc
    PLUGIN protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin>)
  add_library(tessera::${name} ALIAS tessera_${name})
endfunction()

# tessera_test(NAME SRCS … DEPS … LABEL unit|kernels|golden|…): one ctest entry.
function(tessera_test name)
  cmake_parse_arguments(arg "" "LABEL;TIMEOUT" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${arg_SRCS})
  target_link_libraries(${name} PRIVATE
    tessera_options ${arg_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    TESSERA_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
    TESSERA_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIMEOUT)
    # Far beyond what any takes: a machine may be busy, a sanitizer is slow.
    set(arg_TIMEOUT 1200)
  endif()
  set_tests_properties(${name} PROPERTIES
    LABELS "${arg_LABEL}" TIMEOUT ${arg_TIMEOUT})
endfunction()

# tessera_benchmark(NAME SRCS … DEPS …): built, never run by ctest.
function(tessera_benchmark name)
  cmake_parse_arguments(arg "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${arg_SRCS})
  target_link_libraries(${name} PRIVATE
    tessera_options ${arg_DEPS} benchmark::benchmark)
  target_compile_definitions(${name} PRIVATE
    TESSERA_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endfunction()

# tessera_cuda_library(NAME HDRS … SRCS … DEPS …): kernels of the CUDA backend.
# What ptxas reports of a kernel is kept beside its object, *.ptxas.txt.
function(tessera_cuda_library name)
  cmake_parse_arguments(arg "" "" "HDRS;SRCS;DEPS" ${ARGN})
  # CMake 3.25 does not know C++20 for nvcc: the standard is set by hand.
  unset(CMAKE_CXX_STANDARD)
  unset(CMAKE_CXX_STANDARD_REQUIRED)
  unset(CMAKE_CXX_EXTENSIONS)
  tessera_library(${name}
    HDRS ${arg_HDRS} SRCS ${arg_SRCS} DEPS CUDA::cudart_static ${arg_DEPS})
  target_compile_options(tessera_${name} PRIVATE
    -std=c++20
    # constexpr index maths serves the host and the device.
    $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
    $<$<COMPILE_LANGUAGE:CUDA>:-lineinfo>
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Xptxas -v>"
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Xcompiler -Wall,-Wextra>"
    $<$<AND:$<BOOL:${TESSERA_WERROR}>,$<COMPILE_LANGUAGE:CUDA>>:-Werror=all-warnings>)
endfunction()
