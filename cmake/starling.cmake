# Helpers that keep the layering honest.
#
#   starling_library(<name> [DEPENDS <libraries lower in the list>] [LINKS <imported targets>] [PRIVATE_LINKS …])
#
# One folder, one library, one namespace: src/<name>/*.cpp, and src/<name>/tests/*.cpp becomes the
# test program <name>_test. A DEPENDS that is not yet defined is an error: dependencies point down, and the order of
# src/CMakeLists.txt is the architecture.

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(STARLING_CCACHE ccache)
  if(STARLING_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER "${STARLING_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${STARLING_CCACHE}")
    if(STARLING_PCH)
      # ccache's manual: without these it would not cache what uses a precompiled header.
      set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
        CCACHE_PCH_EXTSUM=1 "${STARLING_CCACHE}")
    endif()
  endif()
endif()

# Release: -O2, because the time is spent in llama.cpp, which is built by itself at -O3; sections, so that what nobody
# calls is left out. Checked: for the sanitizers and fuzzers, with assertions and line numbers, quick to compile.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -ffunction-sections -fdata-sections")
set(CMAKE_C_FLAGS_RELEASE "${CMAKE_CXX_FLAGS_RELEASE}")
if(NOT APPLE)
  set(CMAKE_EXE_LINKER_FLAGS_RELEASE "-Wl,--gc-sections")
endif()
set(CMAKE_CXX_FLAGS_CHECKED "-O1 -g1")
set(CMAKE_C_FLAGS_CHECKED "${CMAKE_CXX_FLAGS_CHECKED}")

add_library(starling_options INTERFACE)
target_include_directories(starling_options INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
target_compile_features(starling_options INTERFACE cxx_std_20)
target_compile_options(starling_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Werror)
# Designated initialisers leave fields at their declared defaults; that is what they are for.
target_compile_options(starling_options INTERFACE -Wno-missing-field-initializers)
target_compile_definitions(starling_options INTERFACE
  STARLING_VERSION="${PROJECT_VERSION}" BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 reports these inside its own headers and Asio's coroutine frames once optimised.
  target_compile_options(starling_options INTERFACE
    -Wno-null-dereference -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-restrict -Wno-dangling-pointer
    -Wno-array-bounds -Wno-mismatched-new-delete)
endif()

if(STARLING_SANITIZE)
  target_compile_options(starling_options INTERFACE
    -fsanitize=${STARLING_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(starling_options INTERFACE -fsanitize=${STARLING_SANITIZE})
  if(STARLING_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # gcc warns that it does not model std::atomic_thread_fence, which Asio uses.
    target_compile_options(starling_options INTERFACE -Wno-tsan)
  endif()
endif()
if(STARLING_FUZZ)
  target_compile_options(starling_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What nearly every file includes, parsed once. Sources still include what they use: the other presets have no such header.
if(STARLING_PCH)
  file(WRITE "${PROJECT_BINARY_DIR}/pch.cpp" "")
  add_library(starling_pch OBJECT "${PROJECT_BINARY_DIR}/pch.cpp")
  find_package(fmt REQUIRED)
  target_link_libraries(starling_pch PRIVATE starling_options fmt::fmt)
  set(_pch_headers
    <boost/asio/any_io_executor.hpp> <boost/asio/awaitable.hpp> <boost/system/result.hpp> <fmt/format.h>
    <algorithm> <chrono> <filesystem> <functional> <map> <memory> <optional> <span> <string> <variant> <vector>)
  target_precompile_headers(starling_pch PRIVATE ${_pch_headers})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(starling_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
    # Without the text of the header, which CMake names too: its path would tell clones apart.
    set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
    # The precompiled header holds this clone's paths. ccache goes by this sum of what is in it instead
    # (pch_external_checksum), and finds the objects of other clones.
    list(TRANSFORM _pch_headers PREPEND "#include " OUTPUT_VARIABLE _pch_text)
    string(REPLACE ";" "\n" _pch_text "${_pch_text}\n")
    file(WRITE "${PROJECT_BINARY_DIR}/pch_sum.cpp" "${_pch_text}")
    execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -std=c++20 -E -P "${PROJECT_BINARY_DIR}/pch_sum.cpp"
                    OUTPUT_VARIABLE _pch_text COMMAND_ERROR_IS_FATAL ANY)
    string(SHA256 _pch_sum "${CMAKE_CXX_COMPILER_VERSION};${STARLING_SANITIZE};${_pch_text}")
    file(WRITE "${PROJECT_BINARY_DIR}/CMakeFiles/starling_pch.dir/cmake_pch.hxx.pch.sum" "${_pch_sum}\n")
  endif()
endif()

function(_starling_reuse_pch target)
  if(STARLING_PCH)
    target_precompile_headers(${target} REUSE_FROM starling_pch)
  endif()
endfunction()

function(starling_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINKS;PRIVATE_LINKS" ${ARGN})
  set(dir "${CMAKE_CURRENT_SOURCE_DIR}/${name}")
  file(GLOB sources CONFIGURE_DEPENDS "${dir}/*.cpp")
  set(target starling_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    _starling_reuse_pch(${target})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ${ARG_PRIVATE_LINKS})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} starling_options ${ARG_LINKS})
  foreach(dependency IN LISTS ARG_DEPENDS)
    if(NOT TARGET starling_${dependency})
      message(FATAL_ERROR "src/CMakeLists.txt: '${name}' may not depend on '${dependency}', which is not below it")
    endif()
    target_link_libraries(${target} ${scope} starling_${dependency})
  endforeach()

  file(GLOB tests CONFIGURE_DEPENDS "${dir}/tests/*.cpp")
  if(STARLING_TESTS AND tests)
    starling_test(${name} ${tests})
  endif()
endfunction()

# Where tests find files of the repository. A header and not a definition on every command line: ccache then finds the
# objects of other clones for all the tests that do not include it.
file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/repository_paths.hpp" @ONLY CONTENT
"#pragma once
#define STARLING_SOURCE_DIR \"@PROJECT_SOURCE_DIR@\"
#define STARLING_MODELS_DIR \"@PROJECT_SOURCE_DIR@/models\"
")

# A GoogleTest program over the library `name`, registered with ctest as <name>.
function(starling_test name)
  find_package(GTest REQUIRED)
  add_executable(${name}_test ${ARGN})
  _starling_reuse_pch(${name}_test)
  target_link_libraries(${name}_test PRIVATE starling_${name} GTest::gtest GTest::gtest_main)
  target_include_directories(${name}_test PRIVATE "${PROJECT_BINARY_DIR}/generated")
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

# tests/fuzz/<name>_fuzz.cpp against the library `library`; ./dev fuzz runs it with tests/fuzz/corpus/<name>.
function(starling_fuzz name library)
  add_executable(${name}_fuzz "${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cpp")
  target_link_libraries(${name}_fuzz PRIVATE starling_${library})
  target_include_directories(${name}_fuzz PRIVATE "${PROJECT_BINARY_DIR}/generated")
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name}_fuzz PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()
