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

# The folder of the checked-out tag as git knows it: the same from the npm bundle and from upstream.
set(_llama_tree "fd570ef54b10ec5fecb739e7e04c8ce44a6f415a")
set(_llama_upstream "https://github.com/ggml-org/llama.cpp")
set(_llama_lock_wait_s 3600)  # the slowest machine needs less than this for one build

# Waits for other configurations on this machine that fill the same cache. Released when the calling function ends.
macro(_llama_lock name)
  file(MAKE_DIRECTORY "${STARLING_CACHE_DIR}")
  file(LOCK "${STARLING_CACHE_DIR}/${name}.lock" GUARD FUNCTION TIMEOUT 0 RESULT_VARIABLE _busy)
  if(NOT _busy STREQUAL "0")
    message(STATUS "llama.cpp: waiting for another configuration that prepares ${name}")
    file(LOCK "${STARLING_CACHE_DIR}/${name}.lock" GUARD FUNCTION TIMEOUT ${_llama_lock_wait_s})
  endif()
endmacro()

function(_llama_clone src)
  _llama_lock(source)
  if(EXISTS "${src}/CMakeLists.txt")
    return()
  endif()
  find_package(Git REQUIRED)
  message(STATUS "llama.cpp ${STARLING_LLAMA_TAG}: cloning from upstream (./dev setup takes it from npm)")
  file(REMOVE_RECURSE "${src}.part")
  execute_process(
    COMMAND ${GIT_EXECUTABLE} -c advice.detachedHead=false clone --quiet --depth 1 --branch ${STARLING_LLAMA_TAG}
            ${_llama_upstream} "${src}.part" RESULT_VARIABLE failed)
  execute_process(
    COMMAND ${GIT_EXECUTABLE} -C "${src}.part" rev-parse "HEAD^{tree}"
    OUTPUT_VARIABLE tree OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(failed OR NOT tree STREQUAL _llama_tree)
    file(REMOVE_RECURSE "${src}.part")
    message(FATAL_ERROR "llama.cpp ${STARLING_LLAMA_TAG} could not be cloned, or is not the pinned tree ${_llama_tree}. "
                        "Run ./dev setup, or give a source tree with -DSTARLING_LLAMA_DIR=…")
  endif()
  file(REMOVE_RECURSE "${src}.part/.git")
  file(RENAME "${src}.part" "${src}")
endfunction()

function(_llama_source out)
  if(STARLING_LLAMA_DIR)
    set(${out} "${STARLING_LLAMA_DIR}" PARENT_SCOPE)
    return()
  endif()
  set(src "${STARLING_CACHE_DIR}/llama.cpp-${STARLING_LLAMA_TAG}")
  if(NOT EXISTS "${src}/CMakeLists.txt")
    _llama_clone("${src}")
  endif()
  set(${out} "${src}" PARENT_SCOPE)
endfunction()

# gcc builds llama.cpp whatever the preset's compiler is: sanitizers and fuzzers instrument our code alone, and every
# preset shares one build. Where there is no gcc, the project's own compiler does it.
function(_llama_compiler)
  set(id "${CMAKE_CXX_COMPILER_ID}")
  set(version "${CMAKE_CXX_COMPILER_VERSION}")
  set(cc "${CMAKE_C_COMPILER}")
  set(cxx "${CMAKE_CXX_COMPILER}")
  if(NOT id STREQUAL "GNU" AND NOT APPLE)
    find_program(STARLING_GCC gcc)
    find_program(STARLING_GXX g++)
    if(STARLING_GCC AND STARLING_GXX)
      set(id "GNU")
      set(cc "${STARLING_GCC}")
      set(cxx "${STARLING_GXX}")
      execute_process(COMMAND "${cxx}" -dumpfullversion OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE)
    endif()
  endif()
  set(_llama_compiler_id "${id}" PARENT_SCOPE)
  set(_llama_compiler_version "${version}" PARENT_SCOPE)
  set(_llama_cc "${cc}" PARENT_SCOPE)
  set(_llama_cxx "${cxx}" PARENT_SCOPE)
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
  string(SHA256 key "${src};${options};${_llama_compiler_id}${_llama_compiler_version};${features}")
  string(SUBSTRING "${key}" 0 12 key)
  set(build "${STARLING_CACHE_DIR}/llama-build-${key}")
  set(STARLING_LLAMA_BUILD_DIR "${build}" CACHE INTERNAL "build folder of llama.cpp; its server and tools are targets there")
  if(EXISTS "${build}/.complete")
    return()
  endif()
  _llama_lock("llama-build-${key}")
  if(EXISTS "${build}/.complete")
    return()
  endif()

  message(STATUS "llama.cpp ${STARLING_LLAMA_TAG}: building once into ${build} (minutes)")
  find_program(STARLING_CCACHE ccache)
  set(launcher "")
  if(STARLING_CCACHE)
    set(launcher "-DCMAKE_C_COMPILER_LAUNCHER=${STARLING_CCACHE}" "-DCMAKE_CXX_COMPILER_LAUNCHER=${STARLING_CCACHE}")
  endif()
  if(STARLING_PORTABLE)
    list(APPEND launcher "-DGGML_BACKEND_DIR=${build}/bin")  # where the running program looks for processor variants
  endif()
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S "${src}" -B "${build}" -G Ninja
            "-DCMAKE_C_COMPILER=${_llama_cc}" "-DCMAKE_CXX_COMPILER=${_llama_cxx}" ${options} ${launcher}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  set(targets llama-common)
  if(STARLING_PORTABLE)
    set(targets all)  # the variants are modules that nothing depends on
  endif()
  cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
  execute_process(
    COMMAND ${CMAKE_COMMAND} --build "${build}" --parallel ${cores} --target ${targets}
    COMMAND_ERROR_IS_FATAL ANY)
  file(TOUCH "${build}/.complete")
endfunction()

# The libraries by name: other targets of the same build folder, its server for one, must not change what we link.
function(_llama_libraries out)
  set(found "")
  if(STARLING_PORTABLE)
    foreach(name IN ITEMS llama-common llama ggml ggml-base)
      file(GLOB library "${STARLING_LLAMA_BUILD_DIR}/bin/lib${name}${CMAKE_SHARED_LIBRARY_SUFFIX}")
      list(APPEND found ${library})
    endforeach()
  else()
    file(GLOB_RECURSE found "${STARLING_LLAMA_BUILD_DIR}/*.a")
    list(FILTER found INCLUDE REGEX "/lib(llama|llama-common|llama-common-base|ggml(-[a-z]+)?|cpp-httplib)\\.a$")
  endif()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# What each GPU backend needs from the machine: asked for before minutes of building, and linked afterwards.
function(_llama_gpu_toolkits out)
  set(libraries "")
  foreach(backend IN LISTS STARLING_BACKENDS)
    if(backend STREQUAL "cuda")
      find_package(CUDAToolkit REQUIRED)
      list(APPEND libraries CUDA::cudart CUDA::cublas CUDA::cublasLt CUDA::cuda_driver)
    elseif(backend STREQUAL "vulkan")
      find_package(Vulkan REQUIRED COMPONENTS glslc)
      list(APPEND libraries Vulkan::Vulkan)
    elseif(backend STREQUAL "metal")
      list(APPEND libraries "-framework Foundation" "-framework Metal" "-framework MetalKit")
    else()
      message(FATAL_ERROR "STARLING_BACKENDS: there is no backend '${backend}'; there are cuda, vulkan and metal")
    endif()
  endforeach()
  if(APPLE)
    list(APPEND libraries "-framework Accelerate")
  endif()
  set(${out} "${libraries}" PARENT_SCOPE)
endfunction()

_llama_source(_llama_src)
_llama_compiler()
_llama_gpu_toolkits(_llama_gpu)
_llama_build("${_llama_src}")
_llama_libraries(_llama_archives)

find_package(Threads REQUIRED)
add_library(llama_cpp::common INTERFACE IMPORTED GLOBAL)
target_include_directories(llama_cpp::common SYSTEM INTERFACE
  "${_llama_src}/include" "${_llama_src}/ggml/include" "${_llama_src}/common"
  "${_llama_src}/vendor" "${_llama_src}")
if(APPLE)
  target_link_libraries(llama_cpp::common INTERFACE ${_llama_archives})
else()
  target_link_libraries(llama_cpp::common INTERFACE -Wl,--start-group ${_llama_archives} -Wl,--end-group)
endif()
target_link_libraries(llama_cpp::common INTERFACE ${_llama_gpu} Threads::Threads ${CMAKE_DL_LIBS})
if(NOT STARLING_PORTABLE)
  if(_llama_compiler_id STREQUAL "GNU")
    target_link_libraries(llama_cpp::common INTERFACE gomp)  # also where clang links: clang would look for its own
  else()
    find_package(OpenMP COMPONENTS CXX)
    if(OpenMP_CXX_FOUND)
      target_link_libraries(llama_cpp::common INTERFACE OpenMP::OpenMP_CXX)
    endif()
  endif()
endif()
