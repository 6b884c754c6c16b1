// Between a client and a server on Unix sockets: passes bytes, and cuts connections where it is
// told to.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tarn::testing {

/// Looks at the bytes of one connection before they go on. Its two methods are called by two
/// threads.
class StreamRule {
 public:
  struct Verdict {
    std::size_t pass = 0;  // bytes that go on; the others are swallowed
    bool cut = false;      // then both sides see the end
  };

  virtual ~StreamRule() = default;
  virtual Verdict on_request(std::string_view bytes) = 0;
  virtual Verdict on_answer(std::string_view bytes) = 0;
};

class CuttingProxy {
 public:
  /// A rule for a new connection; null refuses it.
  using MakeRule = std::function<std::unique_ptr<StreamRule>()>;

  /// Listens on a socket of the same name as `target_socket`'s in a directory of its own.
  CuttingProxy(std::string target_socket, MakeRule make_rule);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::string directory() const;

  /// Those that either side still has open: without any, the server has done all it will ever do.
  std::size_t connections() const;

  void cut_all();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::testing
