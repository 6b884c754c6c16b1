// What serves the rows of operations.cc. One file per operation in ops/.
#pragma once

#include "base/context.h"
#include "base/task.h"

namespace tarn::s3gw {

struct Call;

// Service and buckets.
Task<> list_buckets(Context& ctx, Call& call);
Task<> create_bucket(Context& ctx, Call& call);
Task<> head_bucket(Context& ctx, Call& call);
/// Sub-resources that say "nothing is configured", each in its own way.
Task<> get_bucket_setting(Context& ctx, Call& call);
Task<> list_objects(Context& ctx, Call& call);
Task<> list_object_versions(Context& ctx, Call& call);
Task<> list_uploads(Context& ctx, Call& call);
Task<> delete_objects(Context& ctx, Call& call);
Task<> get_bucket_acl(Context& ctx, Call& call);
Task<> put_bucket_acl(Context& ctx, Call& call);

// Objects.
Task<> get_object(Context& ctx, Call& call);  // and HEAD
Task<> put_object(Context& ctx, Call& call);
Task<> copy_object(Context& ctx, Call& call);
Task<> delete_object(Context& ctx, Call& call);
Task<> get_object_attributes(Context& ctx, Call& call);
Task<> get_object_tagging(Context& ctx, Call& call);
Task<> put_object_tagging(Context& ctx, Call& call);
Task<> delete_object_tagging(Context& ctx, Call& call);
Task<> get_object_acl(Context& ctx, Call& call);
Task<> put_object_acl(Context& ctx, Call& call);
Task<> get_object_lock(Context& ctx, Call& call);

// Multipart uploads.
Task<> create_upload(Context& ctx, Call& call);
Task<> upload_part(Context& ctx, Call& call);
Task<> upload_part_copy(Context& ctx, Call& call);
Task<> complete_upload(Context& ctx, Call& call);
Task<> abort_upload(Context& ctx, Call& call);
Task<> list_parts(Context& ctx, Call& call);

}  // namespace tarn::s3gw
