# A layer is a folder with a CMakeLists.txt: src/kv/rocks becomes target tarn_kv_rocks.
# SOURCES lists .cc and .h files; DEPS every layer they may include; LIBS is third party, private.
# CheckLayer.cmake fails the build when a file includes a layer that DEPS does not name.
# Every layer but base shares base's small precompiled header.
function(tarn_layer)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS;SOURCES" ${ARGN})
  file(RELATIVE_PATH layer ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target tarn_${layer})
  set(headers ${arg_SOURCES})
  list(FILTER headers INCLUDE REGEX "\\.h$")
  add_library(${target} STATIC ${arg_SOURCES} ${layer}.checked)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  target_link_libraries(${target} PRIVATE tarn_flags ${arg_LIBS})
  foreach(dep IN LISTS arg_DEPS)
    string(REPLACE "/" "_" dep_target tarn_${dep})
    if(NOT TARGET ${dep_target})
      message(FATAL_ERROR "${layer} depends on ${dep}, which is not built before it")
    endif()
    target_link_libraries(${target} PUBLIC ${dep_target})
  endforeach()
  if(layer STREQUAL "base")
    target_precompile_headers(${target} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.h)
  else()
    target_precompile_headers(${target} REUSE_FROM tarn_base)
  endif()
  add_custom_command(OUTPUT ${layer}.checked DEPENDS ${arg_SOURCES} VERBATIM
    WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
    COMMAND ${CMAKE_COMMAND} "-DALLOWED=${layer};${arg_DEPS}" "-DFILES=${arg_SOURCES}"
            -DSRC=${PROJECT_SOURCE_DIR}/src -DSTAMP=${CMAKE_CURRENT_BINARY_DIR}/${layer}.checked
            -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayer.cmake)
endfunction()
