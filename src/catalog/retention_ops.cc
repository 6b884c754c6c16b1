// Catalog: retention rules. They live in the namespace, not in the KV (storage-format.md 6.3),
// where the reference and its garbage collection find them.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "base/bytes.h"
#include "base/error.h"
#include "catalog/catalog_parts.h"
#include "graveler.pb.h"

namespace tarn::catalog {

namespace pb = ::io::treeverse::lakefs::graveler;

namespace {

constexpr std::uint64_t kRulesBytesMax = 16 * 1024 * 1024;

// In spite of its name the object is binary.
block::ObjectRef rules_object(const versioning::Repository& repository, const std::string& prefix) {
  return {.storage_namespace = repository.storage_namespace,
          .address = prefix + "/retention/gc/rules/config.json"};
}

std::string encode(const RetentionRules& rules) {
  pb::GarbageCollectionRules message;
  message.set_default_retention_days(rules.default_days);
  for (const auto& [branch, days] : rules.branch_days) {
    if (!is_valid_utf8(branch)) {
      throw Error(ErrorCode::invalid_argument, "branch id is not valid UTF-8");
    }
    (*message.mutable_branch_retention_days())[branch] = days;
  }
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

}  // namespace

Task<std::optional<RetentionRules>> Catalog::retention_rules(
    Context& ctx, const versioning::Repository& repository) {
  const auto source = co_await impl_->objects.get(
      ctx, rules_object(repository, impl_->config.block_storage_prefix));
  if (source == nullptr) co_return std::nullopt;
  const std::string bytes = co_await io::read_all(ctx, *source, kRulesBytesMax);
  if (bytes.empty()) co_return std::nullopt;  // removed rules are an empty object
  pb::GarbageCollectionRules message;
  if (!message.ParseFromString(bytes)) {
    throw Error(ErrorCode::corrupt, "retention rules do not parse");
  }
  RetentionRules rules{.default_days = message.default_retention_days()};
  for (const auto& [branch, days] : message.branch_retention_days()) {
    rules.branch_days.emplace(branch, days);
  }
  co_return rules;
}

Task<> Catalog::set_retention_rules(Context& ctx, const versioning::Repository& repository,
                                    std::optional<RetentionRules> rules) {
  if (repository.read_only) throw Error(ErrorCode::read_only, "read-only repository");
  io::StringSource body(rules ? encode(*rules) : std::string());
  co_await impl_->objects.put(ctx, rules_object(repository, impl_->config.block_storage_prefix),
                              body);
}

}  // namespace tarn::catalog
