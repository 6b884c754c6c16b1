// A body of any size into one object, in bounded memory.
#pragma once

#include "base/context.h"
#include "base/task.h"
#include "block/object_store.h"
#include "block/s3/s3_store_state.h"

namespace tarn::block::s3 {

/// One PUT for what fits a part, or is in memory anyway and not much larger; else a multipart
/// upload whose parts go out side by side. Nothing is left behind when it throws, as far as the
/// service can still be reached.
Task<PutResult> put_body(Context& ctx, S3ObjectStore::State& store, Target target,
                         io::ByteSource& body, PutOptions options);

/// Bytes of part `number` (from 1): at most 10,000 parts must hold the largest object, and a body
/// of known size. Parts of unknown bodies grow as they go on.
std::size_t part_bytes_of(const S3Config& config, std::uint32_t number,
                          std::optional<std::uint64_t> body_bytes);

}  // namespace tarn::block::s3
