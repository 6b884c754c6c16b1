// Error answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "api/json_writer.h"

namespace tarn::api {

struct Error {
  std::string message;
};

/// What became of one path of a bulk deletion.
struct ObjectError {
  std::string path;
  std::int64_t status_code = 0;
  std::string message;
};

struct ObjectErrorList {
  std::vector<ObjectError> errors;
};

void write(JsonWriter& out, const Error& error);
void write(JsonWriter& out, const ObjectError& error);
void write(JsonWriter& out, const ObjectErrorList& list);

}  // namespace tarn::api
