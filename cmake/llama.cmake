# llama.cpp v0.5.0, stock. Builds it once into a cache outside the build folder and defines
# `llama_cpp::common`, the one target that the library `llama` links.
#
#   STARLING_LLAMA_DIR   a llama.cpp source tree to use; empty: the pinned source from the cache, which
#                        `./dev setup` fills from npm, else a clone of the same tag from upstream
#   STARLING_BACKENDS    GPU backends to build, of cuda;vulkan;metal
#   STARLING_CACHE_DIR   where source and builds are kept
#
# One build serves every preset of one machine: the folder is named by source, compiler, processor
# features and options, so that a cache moved to another machine is never used by mistake.

set(STARLING_LLAMA_TAG "v0.5.0")
set(STARLING_LLAMA_DIR "" CACHE PATH "llama.cpp source tree (empty: pinned source)")
set(STARLING_BACKENDS "" CACHE STRING "GPU backends: cuda;vulkan;metal")
option(STARLING_PORTABLE "one binary for every processor of this architecture, chosen at run time" OFF)

if(DEFINED ENV{STARLING_CACHE})
  set(_cache "$ENV{STARLING_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache "$ENV{XDG_CACHE_HOME}/starling")
else()
  set(_cache "$ENV{HOME}/.cache/starling")
endif()
set(STARLING_CACHE_DIR "${_cache}" CACHE PATH "cache of sources and builds")

function(_llama_source out)
  if(STARLING_LLAMA_DIR)
    set(${out} "${STARLING_LLAMA_DIR}" PARENT_SCOPE)
    return()
  endif()
  set(src "${STARLING_CACHE_DIR}/llama.cpp-${STARLING_LLAMA_TAG}")
  if(NOT EXISTS "${src}/CMakeLists.txt")
    find_package(Git REQUIRED)
    message(STATUS "llama.cpp ${STARLING_LLAMA_TAG}: cloning from upstream (./dev setup takes it from npm)")
    execute_process(
      COMMAND ${GIT_EXECUTABLE} clone --quiet --depth 1 --branch ${STARLING_LLAMA_TAG}
              https://github.com/ggml-org/llama.cpp "${src}.part" COMMAND_ERROR_IS_FATAL ANY)
    file(RENAME "${src}.part" "${src}")
  endif()
  set(${out} "${src}" PARENT_SCOPE)
endfunction()

# Features of the processor that `-march=native` would use; empty where they cannot be read.
function(_llama_cpu_features out)
  set(features "")
  if(EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo lines REGEX "^(flags|Features)" LIMIT_COUNT 1)
    set(features "${lines}")
  else()
    cmake_host_system_information(RESULT features QUERY PROCESSOR_DESCRIPTION)
  endif()
  set(${out} "${features}" PARENT_SCOPE)
endfunction()

function(_llama_build src)
  set(options
    -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON
    -DBUILD_SHARED_LIBS=${STARLING_PORTABLE}
    -DLLAMA_BUILD_COMMON=ON
    -DLLAMA_BUILD_TESTS=OFF
    -DLLAMA_BUILD_EXAMPLES=OFF
    -DLLAMA_BUILD_APP=OFF
    -DLLAMA_BUILD_TOOLS=ON
    -DLLAMA_BUILD_SERVER=ON
    -DLLAMA_BUILD_UI=OFF
    -DLLAMA_USE_PREBUILT_UI=OFF
    -DLLAMA_OPENSSL=OFF
    -DLLAMA_BUILD_IS_DEV=OFF)
  if(STARLING_PORTABLE)
    list(APPEND options -DGGML_NATIVE=OFF -DGGML_BACKEND_DL=ON -DGGML_CPU_ALL_VARIANTS=ON)
  endif()
  foreach(backend IN LISTS STARLING_BACKENDS)
    string(TOUPPER "${backend}" upper)
    list(APPEND options "-DGGML_${upper}=ON")
  endforeach()

  _llama_cpu_features(features)
  string(SHA256 key "${src};${options};${CMAKE_CXX_COMPILER_ID}${CMAKE_CXX_COMPILER_VERSION};${features}")
  string(SUBSTRING "${key}" 0 12 key)
  set(build "${STARLING_CACHE_DIR}/llama-build-${key}")
  set(STARLING_LLAMA_BUILD_DIR "${build}" CACHE INTERNAL "build folder of llama.cpp; its server and tools are targets there")
  if(EXISTS "${build}/.complete")
    return()
  endif()

  message(STATUS "llama.cpp ${STARLING_LLAMA_TAG}: building once into ${build}")
  set(launcher "")
  find_program(CCACHE ccache)
  if(CCACHE)
    set(launcher -DCMAKE_C_COMPILER_LAUNCHER=${CCACHE} -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE})
  endif()
  # gcc builds llama.cpp whatever the preset's compiler is: sanitizers and fuzzers instrument our code alone.
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S "${src}" -B "${build}" -G Ninja ${options} ${launcher}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  execute_process(
    COMMAND ${CMAKE_COMMAND} --build "${build}" --target llama-common
    COMMAND_ERROR_IS_FATAL ANY)
  file(TOUCH "${build}/.complete")
endfunction()

_llama_source(_llama_src)
_llama_build("${_llama_src}")

find_package(Threads REQUIRED)
find_package(OpenMP COMPONENTS CXX)
add_library(llama_cpp::common INTERFACE IMPORTED GLOBAL)
target_include_directories(llama_cpp::common SYSTEM INTERFACE
  "${_llama_src}/include" "${_llama_src}/ggml/include" "${_llama_src}/common"
  "${_llama_src}/vendor" "${_llama_src}")
file(GLOB_RECURSE _llama_archives
  "${STARLING_LLAMA_BUILD_DIR}/*.a" "${STARLING_LLAMA_BUILD_DIR}/bin/*.so" "${STARLING_LLAMA_BUILD_DIR}/*.dylib")
list(FILTER _llama_archives EXCLUDE REGEX "(server|mtmd|cli|ui|bench|lib(llama|ggml).*\\.so\\.)[^/]*$")
if(STARLING_PORTABLE)
  list(FILTER _llama_archives EXCLUDE REGEX "libggml-cpu-")
endif()
if(APPLE)
  target_link_libraries(llama_cpp::common INTERFACE ${_llama_archives})
else()
  target_link_libraries(llama_cpp::common INTERFACE -Wl,--start-group ${_llama_archives} -Wl,--end-group)
endif()
target_link_libraries(llama_cpp::common INTERFACE Threads::Threads ${CMAKE_DL_LIBS})
if(OpenMP_CXX_FOUND)
  target_link_libraries(llama_cpp::common INTERFACE ${OpenMP_CXX_LIBRARIES})
endif()
