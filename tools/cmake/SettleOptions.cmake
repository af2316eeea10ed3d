# Build options, and the two interface targets every target links:
#   settle_flags     language, sanitizers, hardening: for all code
#   settle_warnings  the warnings of the house, as errors: for our own code, not for generated code

option(SETTLE_WERROR "Warnings are errors" ON)
option(SETTLE_HARDEN "PIE, RELRO, stack protector, FORTIFY" OFF)
option(SETTLE_COVERAGE "gcov counters" OFF)
option(SETTLE_FUZZ "Link the fuzz targets with libFuzzer (needs clang)" OFF)
option(SETTLE_TIDY "Run clang-tidy while compiling" OFF)
option(SETTLE_FAULT_POINTS "Compile named fault points in (never in a release)" OFF)
set(SETTLE_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

add_library(settle_flags INTERFACE)
target_compile_definitions(settle_flags INTERFACE _GNU_SOURCE)
target_include_directories(settle_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/lib/include)
target_compile_options(settle_flags INTERFACE -fno-omit-frame-pointer -fvisibility=hidden)
if(SETTLE_FAULT_POINTS)
  target_compile_definitions(settle_flags INTERFACE SETTLE_FAULT_POINTS=1)
endif()
if(SETTLE_SANITIZE)
  target_compile_options(settle_flags INTERFACE
    -fsanitize=${SETTLE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(settle_flags INTERFACE -fsanitize=${SETTLE_SANITIZE})
endif()
if(SETTLE_FUZZ)
  target_compile_options(settle_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(SETTLE_COVERAGE)
  target_compile_options(settle_flags INTERFACE --coverage -O0 -fprofile-update=atomic)
  target_link_options(settle_flags INTERFACE --coverage)
endif()
if(SETTLE_HARDEN)
  target_compile_options(settle_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
  target_link_options(settle_flags INTERFACE
    -Wl,-z,relro,-z,now,-z,noexecstack
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()

add_library(settle_warnings INTERFACE)
target_compile_options(settle_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wswitch-enum -Wcast-qual -Wundef -Wformat=2 -Wvla)
# Error texts are cut at their maximum on purpose; gcc cannot tell that from an oversight.
target_compile_options(settle_warnings INTERFACE
  $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
if(SETTLE_WERROR)
  target_compile_options(settle_warnings INTERFACE -Werror)
endif()
if(SETTLE_TIDY)
  find_program(CLANG_TIDY clang-tidy-14 REQUIRED)
  # Our own headers, which is not what the build generates.
  set(CMAKE_C_CLANG_TIDY ${CLANG_TIDY} --quiet
    "--header-filter=^${PROJECT_SOURCE_DIR}/(lib|coordinator|participant|tests|tools)/")
endif()
