// A DynamoDB in the process, as strict as the real one where it matters to us, and broken on
// demand. Test code only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>

#include "base/task.h"
#include "http/message.h"
#include "http/testing/local_server.h"
#include "http/testing/troubled_service.h"

namespace tarn::kv::testing {

/// What happens to one call.
struct DynamoFault {
  enum class Kind : std::uint8_t {
    refuse,   // nothing is done; `status` and `type` are answered
    lose,     // the call is done, the connection breaks before the answer
    garble,   // the call is done, the answer is no JSON
    bad_crc,  // the call is done, the answer fails its CRC
    ignore,   // the call is done, `status` and `type` are answered
  };

  Kind kind = Kind::refuse;
  std::uint16_t status = 400;
  std::string type = {};
  std::string message = {};
};

class FakeDynamo {
 public:
  /// Decides over each call by its name and its number (from 1); nullopt = nothing happens.
  using Decide = std::function<std::optional<DynamoFault>(std::string_view call, int number)>;

  FakeDynamo();
  ~FakeDynamo();
  FakeDynamo(const FakeDynamo&) = delete;
  FakeDynamo& operator=(const FakeDynamo&) = delete;

  std::string url() const { return server_->endpoint().origin(); }

  /// The same without HTTP, and without what decide() has decided.
  Task<http::testing::ServiceAnswer> serve(Context& ctx, http::testing::ServiceRequest request);
  /// What it answers to who asks for too much.
  static http::testing::ServiceAnswer throttled();

  /// Forgets every item and call.
  void clear();

  void decide(Decide decide);
  /// BatchGetItem answers so many keys at once and leaves the rest unprocessed.
  void answer_keys_at_most(std::size_t keys);
  /// Query and Scan return so many items a call, and every third call none of them.
  void look_at_items(std::size_t items);

  /// DescribeTable says CREATING so many times for a new table.
  void be_slow_to_create(int looks) { creating_looks_ = looks; }

  void make_table(std::string_view name, std::string_view hash_key);

  int calls() const;
  std::vector<std::string> call_names() const;
  std::string last_authorization() const;

 private:
  using Key = std::pair<std::string, std::string>;

  struct Refusal {
    std::string type;
    std::string message = {};
  };

  struct Answer {
    std::uint16_t status = 200;
    std::string body;
  };

  Task<> respond(Context& ctx, http::Request& request, http::Response& response);
  Answer handle(std::string_view call, const std::string& body);
  std::string run(std::string_view call, const boost::json::object& request);
  std::string put(const boost::json::object& request);
  std::string batch_get(const boost::json::object& request);
  std::string list(std::string_view call, const boost::json::object& request);

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::map<Key, std::string> items_;
  std::optional<std::string> table_;
  std::string hash_key_ = "PartitionKey";
  int creating_looks_ = 0;
  std::size_t batch_keys_max_ = 100;
  std::size_t page_items_max_ = 1'000'000;
  Decide decide_;
  std::vector<std::string> names_;
  std::string authorization_;

  std::unique_ptr<http::testing::LocalServer> server_;  // last: it calls the rest
};

}  // namespace tarn::kv::testing
