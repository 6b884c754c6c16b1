// The shared store on AWS: a DynamoDB table in the reference's layout (storage-format.md 1.7), so
// that several servers, and the reference in turn, work on one installation.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials/credentials.h"
#include "base/task.h"
#include "base/time.h"
#include "http/client.h"
#include "kv/store.h"

namespace tarn::kv {

struct DynamoConfig {
  std::string table = "kvstore";
  std::string region = "us-east-1";
  std::string endpoint;              // "http[s]://host[:port]"; empty = AWS in `region`
  std::uint32_t scan_limit = 1'024;  // most items of one page
  std::uint32_t max_attempts = 10;   // of one call, the first included
  bool create_table = true;          // when there is none
  /// The first pause before another attempt is at most this; later ones double, up to the second.
  /// Each is drawn from 0 to there.
  std::chrono::milliseconds backoff_first{50};
  std::chrono::milliseconds backoff_max{5'000};
  std::chrono::milliseconds table_wait_max{30'000};  // for a new table to become active
};

/// What the store calls with; its own from then on.
struct DynamoParts {
  std::unique_ptr<http::Client> client;
  std::unique_ptr<aws::CredentialsSource> credentials;  // may use the client
};

/// An item may have 400 KB, names and key included.
inline constexpr std::size_t kDynamoItemBytesMax = 400 * 1'024;

/// As Store, and: reads are consistent. A failed call is repeated while the deadline and
/// max_attempts allow; throttling that lasts is Error{throttled}. A conditional write whose answer
/// was lost and that is refused when repeated is looked up: if the new value is there it counts as
/// stored, otherwise nobody can tell and it throws Error{unavailable}. run() is one call after the
/// other, gets in a row together. Records larger than an item are Error{too_large}.
class DynamoStore final : public Store {
 public:
  /// Makes the table if there is none and waits until it is active. `clock` outlives the store.
  /// Throws Error{invalid_argument} for a configuration that cannot be, or a table of another
  /// layout, and as Store does.
  static Task<std::unique_ptr<DynamoStore>> open(Context& ctx, DynamoConfig config,
                                                 DynamoParts parts, const Clock& clock);
  ~DynamoStore() override;

  Task<std::optional<std::string>> get(Context& ctx, std::string_view partition,
                                       std::string_view key) override;
  Task<std::vector<std::optional<std::string>>> get_many(Context& ctx,
                                                         std::vector<Address> addresses) override;
  Task<std::vector<OpResult>> run(Context& ctx, std::vector<Op> ops) override;
  std::unique_ptr<Cursor> scan(std::string_view partition, ScanOptions options) override;
  Task<std::vector<Row>> read_rows(Context& ctx, std::optional<Address> after,
                                   std::uint32_t rows_max) override;
  Task<> close() override;

 private:
  friend class DynamoCursor;
  struct Impl;
  explicit DynamoStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::kv
