# A layer is a folder with a CMakeLists.txt: src/kv/rocks becomes target tarn_kv_rocks.
# SOURCES lists .cc and .h files; DEPS every layer they may include; LIBS is third party, private.
# CheckLayer.cmake fails the build when a file includes a layer that DEPS does not name.
# Every layer but base shares base's small precompiled header.
option(TARN_PARTIAL "Leave out missing source files and layers instead of stopping" OFF)

# Keeps only what exists in `list_name`; TARN_PARTIAL decides whether a gap is fatal. The file
# `.partial` in the build folder says that configuring again may fill it.
function(tarn_drop_missing list_name kind)
  foreach(item IN LISTS ${list_name})
    if((kind STREQUAL "layer" AND NOT TARGET ${item}) OR
       (kind STREQUAL "file" AND NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${item}))
      if(NOT TARN_PARTIAL)
        message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR}: ${kind} ${item} does not exist (yet)")
      endif()
      message(STATUS "partial: ${CMAKE_CURRENT_SOURCE_DIR}: no ${kind} ${item}")
      list(REMOVE_ITEM ${list_name} ${item})
      file(TOUCH ${PROJECT_BINARY_DIR}/.partial)
    endif()
  endforeach()
  set(${list_name} ${${list_name}} PARENT_SCOPE)
endfunction()

function(tarn_layer)
  cmake_parse_arguments(arg "" "" "DEPS;LIBS;SOURCES" ${ARGN})
  file(RELATIVE_PATH layer ${PROJECT_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target tarn_${layer})
  tarn_drop_missing(arg_SOURCES file)
  set(headers ${arg_SOURCES})
  list(FILTER headers INCLUDE REGEX "\\.h$")
  add_library(${target} STATIC ${arg_SOURCES} ${layer}.checked)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${headers})
  target_link_libraries(${target} PRIVATE tarn_flags ${arg_LIBS})
  list(TRANSFORM arg_DEPS REPLACE "/" "_" OUTPUT_VARIABLE dep_targets)
  list(TRANSFORM dep_targets PREPEND tarn_)
  tarn_drop_missing(dep_targets layer)
  target_link_libraries(${target} PUBLIC ${dep_targets})
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
