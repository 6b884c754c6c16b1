# tarn_tests(a_test.cc ... [DEPS layer ...] [LIBS lib ...]): one test binary for the layer of this
# folder, linking only that layer, `testing` and what DEPS names. tarn_fuzz(x_fuzz.cc ...) likewise
# makes replay binaries over tests/corpus/<name>/, and libFuzzer ones when TARN_FUZZ is on.
function(tarn_tests)
  if(NOT TARN_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "DEPS;LIBS" ${ARGN})
  file(RELATIVE_PATH layer ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target tarn_${layer})
  tarn_drop_missing(arg_UNPARSED_ARGUMENTS file)
  if(NOT arg_UNPARSED_ARGUMENTS)
    return()
  endif()
  add_executable(${target}_test ${arg_UNPARSED_ARGUMENTS})
  list(TRANSFORM arg_DEPS REPLACE "/" "_")
  list(TRANSFORM arg_DEPS PREPEND tarn_)
  if(TARN_PARTIAL)  # resolved at the end, since a test may name layers above its own
    list(TRANSFORM arg_DEPS REPLACE "(.+)" "$<TARGET_NAME_IF_EXISTS:\\1>")
  endif()
  target_link_libraries(${target}_test PRIVATE
    ${target} ${arg_DEPS} tarn_testing tarn_flags GTest::gtest ${arg_LIBS})
  target_precompile_headers(${target}_test REUSE_FROM tarn_base)
  string(REPLACE "/" "." name ${layer})
  add_test(NAME ${name} COMMAND ${target}_test WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600)
endfunction()
