// What the operations of the store share.
#pragma once

#include <memory>
#include <string>

#include "block/gate.h"
#include "block/s3/documents.h"
#include "block/s3/requester.h"
#include "block/s3/s3_object_store.h"
#include "io/sync.h"

namespace tarn::block {

namespace s3 {

struct Target {
  std::string bucket;
  std::string key;
  friend bool operator==(const Target&, const Target&) = default;
};

/// Throws Error{invalid_argument} for what is no address of this store.
Target target_of(const ObjectRef& ref);
/// The bucket of a namespace, and what the keys of its objects start with: "" or "prefix/".
Target target_of_namespace(std::string_view storage_namespace);

}  // namespace s3

struct S3ObjectStore::State {
  State(S3Config c, std::unique_ptr<http::Client> http_client,
        std::unique_ptr<aws::CredentialsSource> source, io::BlockingPool& blocking_pool,
        const Clock& the_clock);

  /// Headers that say how what is written is encrypted.
  s3::Headers encryption() const;

  Task<ObjectInfo> head(Context& ctx, const s3::Target& target);
  Task<std::optional<ObjectInfo>> find(Context& ctx, const s3::Target& target);

  Task<std::string> create_upload(Context& ctx, const s3::Target& target);
  /// Stores a part that is in memory; returns its ETag as the service has it.
  Task<std::string> send_part(Context& ctx, const s3::Target& target, std::string_view upload_id,
                              std::uint32_t number, s3::Bytes bytes);
  /// Returns the ETag.
  Task<std::string> complete_upload(Context& ctx, const s3::Target& target,
                                    std::string_view upload_id, const std::vector<Part>& parts);
  Task<> abort_upload(Context& ctx, const s3::Target& target, std::string_view upload_id);
  /// In the background of a failure: reports nothing but a log line.
  Task<> give_up_upload(const s3::Target& target, std::string_view upload_id);

  /// What is known of a body before it is sent; raw, empty where it is not.
  struct Known {
    std::string md5;
    std::string sha256;
  };

  /// An object in one request. The service checks it by its MD5, and we the ETag, or else by the
  /// SHA-256 in the signature.
  Task<> put_whole(Context& ctx, const s3::Target& target, s3::Bytes bytes, Known known);

  /// Room for a part in memory. Throws Error{throttled} when none gets free for long.
  Task<io::Semaphore::Permit> take_buffer(Context& ctx);

  /// Large hashes leave the loop.
  Task<std::string> md5_of(Context& ctx, s3::Bytes bytes);

  const S3Config config;
  const StoreInfo info;
  const std::unique_ptr<http::Client> client;
  const std::unique_ptr<aws::CredentialsSource> credentials;  // may use the client
  io::BlockingPool& pool;
  const Clock& clock;
  s3::Requester requester;
  io::Semaphore buffers;
  Gate gate;
};

/// "uploadId=...&partNumber=..." encoded.
std::string upload_query(std::string_view upload_id, std::uint32_t part_number = 0);

}  // namespace tarn::block
