#include "api/diff_models.h"

namespace tarn::api {

void write(JsonWriter& out, const DiffObjectStat& stat) {
  out.begin_object();
  out.member("checksum", stat.checksum);
  out.member("mtime", stat.mtime);
  out.member("content_type", stat.content_type);
  out.member("metadata", stat.metadata);
  out.end_object();
}

void write(JsonWriter& out, const Diff& diff) {
  out.begin_object();
  out.member("type", diff.type);
  out.member("path", diff.path);
  out.member("path_type", to_string(diff.path_type));
  out.member("size_bytes", diff.size_bytes);
  if (diff.right) {
    out.key("right");
    write(out, *diff.right);
  }
  out.end_object();
}

}  // namespace tarn::api
