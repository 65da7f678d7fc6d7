# The CUDA backend is built where the toolkit is found and asked for by nobody
# else: every other target builds and runs without it. Sets TESSERA_WITH_CUDA,
# TESSERA_WITH_CUDNN, TESSERA_WITH_CUBLASLT and TESSERA_WITH_NCCL.
set(TESSERA_CUDA AUTO CACHE STRING "Build the CUDA backend: AUTO, ON or OFF.")
set_property(CACHE TESSERA_CUDA PROPERTY STRINGS AUTO ON OFF)

set(TESSERA_WITH_CUDA OFF)
set(TESSERA_WITH_CUDNN OFF)
set(TESSERA_WITH_CUBLASLT OFF)
set(TESSERA_WITH_NCCL OFF)

# nvcc knows none of the instrumentation options; the plans and index maths of
# the kernels are plain C++ and stay under the sanitizers.
if(TESSERA_SANITIZE OR TESSERA_FUZZERS OR TESSERA_COVERAGE)
  set(tessera_try_cuda OFF)
else()
  set(tessera_try_cuda ${TESSERA_CUDA})
endif()

if(tessera_try_cuda)
  find_program(TESSERA_NVCC nvcc HINTS ENV CUDA_HOME ENV CUDA_PATH
               PATHS /usr/local/cuda/bin PATH_SUFFIXES bin)
  find_package(CUDAToolkit QUIET)
  if(TESSERA_NVCC AND CUDAToolkit_FOUND
     AND CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.0)
    set(TESSERA_WITH_CUDA ON)
  elseif(TESSERA_CUDA STREQUAL "ON")
    message(FATAL_ERROR "TESSERA_CUDA=ON: no CUDA toolkit 12 or later found")
  endif()
endif()

if(TESSERA_WITH_CUDA)
  set(CMAKE_CUDA_COMPILER ${TESSERA_NVCC})
  # One program for the A100 and for the H100 and H200; the PTX serves others.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80 90a-real)
  endif()
  # nvcc supports few versions of clang; g++ compiles its host side always.
  find_program(TESSERA_CUDA_HOST_COMPILER g++)
  if(NOT DEFINED CMAKE_CUDA_HOST_COMPILER AND TESSERA_CUDA_HOST_COMPILER)
    set(CMAKE_CUDA_HOST_COMPILER ${TESSERA_CUDA_HOST_COMPILER})
  endif()
  enable_language(CUDA)
  set(CMAKE_CUDA_RUNTIME_LIBRARY Static)

  # The big libraries are loaded at run time, so that one program also starts
  # where they are missing: their headers are all that a build needs.
  find_path(TESSERA_CUDNN_INCLUDE_DIR cudnn_graph.h
            HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_path(TESSERA_CUBLASLT_INCLUDE_DIR cublasLt.h
            HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_path(TESSERA_NCCL_INCLUDE_DIR nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(TESSERA_NCCL_LIBRARY nccl
               HINTS ${CUDAToolkit_LIBRARY_DIR} ${CUDAToolkit_ROOT}/lib)
  if(TESSERA_CUDNN_INCLUDE_DIR)
    set(TESSERA_WITH_CUDNN ON)
  endif()
  if(TESSERA_CUBLASLT_INCLUDE_DIR)
    set(TESSERA_WITH_CUBLASLT ON)
  endif()
  if(TESSERA_NCCL_INCLUDE_DIR AND TESSERA_NCCL_LIBRARY)
    set(TESSERA_WITH_NCCL ON)
  endif()
  message(STATUS "CUDA ${CUDAToolkit_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}; "
    "cuDNN ${TESSERA_WITH_CUDNN}, cuBLASLt ${TESSERA_WITH_CUBLASLT}, "
    "NCCL ${TESSERA_WITH_NCCL}")
endif()
