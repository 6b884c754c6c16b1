#include "api/error_models.h"

namespace tarn::api {

void write(JsonWriter& out, const Error& error) {
  out.begin_object();
  out.member("message", error.message);
  out.end_object();
}

void write(JsonWriter& out, const ObjectError& error) {
  out.begin_object();
  out.member("path", error.path);
  out.member("status_code", error.status_code);
  out.member("message", error.message);
  out.end_object();
}

void write(JsonWriter& out, const ObjectErrorList& list) {
  out.begin_object();
  out.key("errors");
  out.begin_array();
  for (const ObjectError& error : list.errors)
    write(out, error);
  out.end_array();
  out.end_object();
}

}  // namespace tarn::api
