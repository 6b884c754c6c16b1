# Third-party libraries, found once. Layers name them in LIBS, which links them PRIVATE.
# tarn_flags carries what every target shares: warnings, sanitizers, Boost headers.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url json)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(pugixml REQUIRED)
find_package(RocksDB REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
find_library(ISAL_LIBRARY isal REQUIRED)
if(TARN_TESTS)
  find_package(GTest REQUIRED)
endif()

add_library(tarn_flags INTERFACE)
target_include_directories(tarn_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(tarn_flags INTERFACE Boost::headers Threads::Threads)
target_compile_definitions(tarn_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_compile_options(tarn_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wthread-safety -Wno-missing-field-initializers
  -Werror=switch -Werror=return-type -Werror=unused-result
  $<$<COMPILE_LANG_AND_ID:CXX,Clang>:SHELL:-Xclang -fno-pch-timestamp>)
if(TARN_WERROR)
  target_compile_options(tarn_flags INTERFACE -Werror)
endif()
if(TARN_SANITIZE STREQUAL "address")
  set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(TARN_SANITIZE)
  set(sanitize -fsanitize=${TARN_SANITIZE})
endif()
target_compile_options(tarn_flags INTERFACE ${sanitize})
target_link_options(tarn_flags INTERFACE ${sanitize})
