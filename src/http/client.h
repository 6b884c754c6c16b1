// The HTTP/1.1 client: streaming both ways, connections kept per loop. For block/s3, kv/dynamo and
// aws/credentials. It knows framing, time and connections; it does not retry, redirect or sign.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/context.h"
#include "base/task.h"
#include "io/byte_source.h"

namespace tarn::http {

struct ClientTls {
  std::string ca_file;  // PEM; empty = what the system trusts
  bool verify = true;   // chain and host name; false is for tests only
};

struct ClientConfig {
  std::chrono::milliseconds connect_timeout{5'000};  // resolving, connecting and TLS together
  std::chrono::milliseconds idle_timeout{30'000};    // without any progress of a request
  std::chrono::milliseconds keep_alive{20'000};      // life of an unused connection; 0 keeps none
  /// Per loop; further requests wait for one to be free, as long as a silent peer is waited for.
  std::size_t connections_per_host = 64;
  std::size_t head_bytes_max = 65'536;    // of a response
  std::size_t buffer_bytes = 256 * 1024;  // most bytes of one read() of a response's body
  ClientTls tls;
};

/// Where a request goes. `host` is a name or an address, IPv6 without brackets.
struct Endpoint {
  enum class Scheme : std::uint8_t { http, https };

  Scheme scheme = Scheme::https;
  std::string host;
  std::uint16_t port = 443;

  /// What the Host header says: the port only where it is not the scheme's own.
  std::string authority() const;
  /// "https://host[:port]".
  std::string origin() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Url {
  Endpoint endpoint;
  std::string target;  // path and query, as written; never empty
};

/// "http[s]://host[:port][/path][?query]"; nullopt for anything else (user names, fragments).
std::optional<Url> parse_url(std::string_view text);

struct ClientRequest {
  std::string method = "GET";
  Endpoint endpoint;
  std::string target = "/";  // origin form, percent-encoded: sent as it is
  /// Host, Content-Length, Connection and Expect are the client's; the rest is sent as written.
  std::vector<std::pair<std::string, std::string>> headers;
  /// The body, if it is small ...
  std::string body;
  /// ... or somebody else's, who keeps it until send() is done ...
  std::string_view borrowed_body = {};
  /// ... or streamed: exactly `stream_bytes` are sent. Must outlive send().
  io::ByteSource* stream = nullptr;
  std::uint64_t stream_bytes = 0;
  /// Sends "Expect: 100-continue" and waits for the answer, a second at most, before the body.
  bool expect_continue = false;
  /// The request may be sent again when a kept connection turns out to be dead. GET, HEAD, PUT,
  /// DELETE and OPTIONS are, unless their stream has been read; a POST only when this says so.
  bool repeatable = false;
  /// Instead of the client's, where it is shorter.
  std::chrono::milliseconds idle_timeout = std::chrono::milliseconds::max();
  /// Does not wait for other requests, however many connections they have: for a rare probe.
  bool ahead_of_others = false;
};

/// A response's head, and its body still on the wire. Movable. To be used, and destroyed, on the
/// loop that sent the request. Destroying it early closes the connection; reading the body to its
/// end gives the connection back.
class ClientResponse {
 public:
  ClientResponse();
  ClientResponse(ClientResponse&&) noexcept;
  ClientResponse& operator=(ClientResponse&&) noexcept;
  ~ClientResponse();

  std::uint16_t status() const { return status_; }

  /// First field of that name, compared without case.
  std::optional<std::string_view> header(std::string_view name) const;

  const std::vector<std::pair<std::string, std::string>>& headers() const { return headers_; }

  /// The body's length where the head tells it.
  std::optional<std::uint64_t> content_length() const;

  /// Chunked framing removed. Its read() throws Error{unavailable} when the peer goes away, breaks
  /// the framing or ends early, Error{deadline_exceeded} at ctx.deadline().
  io::ByteSource& body();
  /// The body on its own; the head stays readable here. May outlive the response, not the client.
  std::unique_ptr<io::ByteSource> take_body();
  /// Reads all of it; Error{too_large} beyond `bytes_max`.
  Task<std::string> read_all(Context& ctx, std::uint64_t bytes_max);

 private:
  friend class Client;

  std::uint16_t status_ = 0;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::optional<std::uint64_t> length_;
  std::unique_ptr<io::ByteSource> body_;
};

/// Safe to use from any loop: each has its own connections. Outlives its requests and responses;
/// its loops outlive it.
class Client {
 public:
  /// Throws Error{invalid_argument} when the CA file cannot be used.
  explicit Client(ClientConfig config = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Sends the request and reads the response's head, whatever its status. Throws
  /// Error{unavailable} when the peer cannot be reached, is silent for idle_timeout, breaks the
  /// protocol or hangs up, Error{deadline_exceeded} at ctx.deadline(); both name the host and
  /// nothing else of the request. What `stream` throws passes through.
  Task<ClientResponse> send(Context& ctx, ClientRequest request);

  /// Closes the connections nobody uses, on their loops, and keeps none from here on. Await it
  /// before the loops end.
  Task<> close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tarn::http
