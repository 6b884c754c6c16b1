// Requests and responses as handlers see them. Beast stays behind these two classes.
#pragma once

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

/// One query parameter, percent-decoded once ('+' is a space in the query, as browsers write it).
struct QueryParam {
  std::string name;
  std::string value;
  bool has_value = false;  // "?acl" against "?acl="
};

/// A parsed request head plus its body, still to be read. Lives as long as the handler runs.
class Request {
 public:
  virtual ~Request() = default;

  virtual std::string_view method() const = 0;
  /// The request target exactly as received ("/a%2Fb?x=1"), origin form; absolute-form targets are
  /// reduced to it. What signatures are computed over.
  virtual std::string_view target() const = 0;
  /// The path part of target(), still percent-encoded.
  virtual std::string_view raw_path() const = 0;
  /// The query part without '?', still percent-encoded.
  virtual std::string_view raw_query() const = 0;
  /// Decoded, in order of appearance; parsed once on first use. Broken escapes stay as they are.
  virtual const std::vector<QueryParam>& query() const = 0;
  /// First parameter of that name; nullptr if absent.
  const QueryParam* find_query(std::string_view name) const;

  /// The value of a header, names compared without case; nullopt if absent. Several fields of one
  /// name: the first.
  virtual std::optional<std::string_view> header(std::string_view name) const = 0;
  /// All fields in order as received.
  virtual std::vector<std::pair<std::string_view, std::string_view>> headers() const = 0;

  /// From Content-Length; nullopt for chunked. 0 for a request without a body.
  virtual std::optional<std::uint64_t> content_length() const = 0;
  /// The body with HTTP's own chunked framing removed. The first read answers
  /// "Expect: 100-continue". Throws Error{cancelled} when the peer goes away or stalls beyond its
  /// limit, Error{invalid_argument} for broken framing. A handler that never reads it costs the
  /// peer nothing: the server drains a small rest or closes the connection after the response.
  virtual io::ByteSource& body() = 0;

  /// Peer address without port.
  virtual std::string_view remote_address() const = 0;
  virtual bool is_tls() const = 0;

  /// Fresh UUID v4 text per request; also in ctx.request_id().
  virtual std::string_view id() const = 0;

 protected:
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
};

/// Exactly one of send(), send_stream() and the begin()/write()/finish() trio is called, once.
/// Headers are set before. If a handler returns without sending, the server answers 500.
class Response {
 public:
  virtual ~Response() = default;

  /// Header names are written as given; values must not contain CR or LF (such bytes are
  /// dropped). Content-Length, Transfer-Encoding, Connection and Date are the server's.
  virtual void add_header(std::string_view name, std::string_view value) = 0;
  virtual void set_status(std::uint16_t status) = 0;
  virtual std::uint16_t status() const = 0;
  /// True once the head has gone out: from then on errors can only cut the connection.
  virtual bool started() const = 0;

  /// Sends the head and a whole body. For HEAD requests the body's length is announced and its
  /// bytes are not sent.
  virtual Task<> send(Context& ctx, std::string_view body) = 0;

  /// Sends the head and then the source, with Content-Length if its size is known (chunked
  /// otherwise). A source that throws or ends short cuts the connection, so that the client
  /// notices.
  virtual Task<> send_stream(Context& ctx, io::ByteSource& body) = 0;

  /// Announces `content_length` without sending a body: HEAD on an object.
  virtual Task<> send_head_only(Context& ctx, std::uint64_t content_length) = 0;

  /// Chunked response written piece by piece. The head goes out with the first piece, and each
  /// write() is sent at once: S3 completion uses it to keep a slow answer alive with white space.
  virtual Task<> begin(Context& ctx) = 0;
  virtual Task<> write(Context& ctx, std::string_view piece) = 0;
  virtual Task<> finish(Context& ctx) = 0;

 protected:
  Response() = default;
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;
};

/// What a server serves. Called on the connection's loop, one request of a connection at a time.
/// May throw Error: the server logs it and answers a bare 500 (edges map their own errors before).
class Handler {
 public:
  virtual ~Handler() = default;
  virtual Task<> handle(Context& ctx, Request& request, Response& response) = 0;
};

/// "OK", "Not Found", ...; "Unknown" for an unassigned code.
std::string_view reason_phrase(std::uint16_t status);

/// Splits a raw query ("a=1&b") into decoded parameters.
std::vector<QueryParam> parse_query(std::string_view raw_query);

}  // namespace tarn::http
