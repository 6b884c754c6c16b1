# tarn_tests(a_test.cc ... [DEPS layer ...] [LIBS lib ...]): one test binary for the layer of this
# folder, linking only that layer, `testing` and what DEPS names, which may stand above it.
function(tarn_tests)
  if(NOT TARN_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  file(RELATIVE_PATH layer ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target tarn_${layer})
  add_executable(${target}_test ${arg_UNPARSED_ARGUMENTS})
  list(TRANSFORM arg_DEPS REPLACE "/" "_")
  list(TRANSFORM arg_DEPS PREPEND tarn_)
  target_link_libraries(${target}_test PRIVATE
    ${target} ${arg_DEPS} tarn_testing tarn_flags GTest::gtest ${arg_LIBS})
  target_precompile_headers(${target}_test REUSE_FROM tarn_base)
  string(REPLACE "/" "." name ${layer})
  add_test(NAME ${name} COMMAND ${target}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()

# tarn_fuzz(name x_fuzz.cc [DEPS layer ...] [LIBS lib ...]): a fuzz target over the layer of this
# folder. The test fuzz.<name> replays tests/corpus/<name>/; with TARN_FUZZ (preset `fuzz`, see
# tools/fuzz) it is a libFuzzer binary instead, tarn_<name>_fuzz.
add_custom_target(tarn_fuzzers COMMENT "All fuzz targets")

function(tarn_fuzz name)
  if(NOT TARN_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  file(RELATIVE_PATH layer ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target tarn_${layer})
  list(TRANSFORM arg_DEPS REPLACE "/" "_")
  list(TRANSFORM arg_DEPS PREPEND tarn_)
  if(TARN_FUZZ)
    set(binary tarn_${name}_fuzz)
    set(driver tarn_fuzz_entry)
  else()
    set(binary tarn_${name}_replay)
    set(driver tarn_fuzz_replay tarn_fuzz_entry)
  endif()
  add_executable(${binary} ${arg_UNPARSED_ARGUMENTS})
  # tarn_io: the precompiled header leaves references to Asio in every object.
  target_link_libraries(${binary} PRIVATE
    ${driver} ${target} ${arg_DEPS} tarn_io tarn_flags ${arg_LIBS})
  target_precompile_headers(${binary} REUSE_FROM tarn_base)
  add_dependencies(tarn_fuzzers ${binary})
  if(TARN_FUZZ)
    target_link_options(${binary} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${binary} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzzers)
  else()
    add_test(NAME fuzz.${name} COMMAND ${binary} ${PROJECT_SOURCE_DIR}/tests/corpus/${name})
    set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 300)
  endif()
endfunction()

# tarn_bench(a_bench.cc ... [DEPS layer ...]): micro-benchmarks of the layer of this folder, a binary
# tarn_<layer>_bench that is built on demand: `tarn_benches`, as tools/run-tests bench does, makes
# all of them. Without Google Benchmark there are none.
find_package(benchmark QUIET)
add_custom_target(tarn_benches COMMENT "All micro-benchmarks")

function(tarn_bench)
  if(NOT benchmark_FOUND)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(RELATIVE_PATH layer ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target tarn_${layer})
  list(TRANSFORM arg_DEPS REPLACE "/" "_")
  list(TRANSFORM arg_DEPS PREPEND tarn_)
  add_executable(${target}_bench EXCLUDE_FROM_ALL ${arg_UNPARSED_ARGUMENTS}
    ${PROJECT_SOURCE_DIR}/bench/micro/main.cc)
  # tarn_io: the precompiled header leaves references to Asio in every object.
  target_link_libraries(${target}_bench PRIVATE
    ${target} ${arg_DEPS} tarn_io tarn_flags benchmark::benchmark)
  set_target_properties(${target}_bench PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/benches)
  add_dependencies(tarn_benches ${target}_bench)
endfunction()
