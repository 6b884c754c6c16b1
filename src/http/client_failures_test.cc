// What the client does when the other side does not do what it should.
#include <chrono>
#include <future>
#include <string>

#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

#include "base/error.h"
#include "http/client.h"
#include "http/raw_server.h"
#include "io/sync.h"
#include "io/task_group.h"
#include "testing/co_test.h"

namespace tarn::http {
namespace {

using std::chrono::milliseconds;
using testing::RawPeer;
using testing::RawServer;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Endpoint local(std::uint16_t port) {
  return {.scheme = Endpoint::Scheme::http, .host = "127.0.0.1", .port = port};
}

RawServer::Script answer_each(std::string text) {
  return [text](RawPeer& peer) {
    while (!peer.receive_head().empty())
      peer.send(text);
  };
}

RawServer::Script answer_once(std::string text) {
  return [text](RawPeer& peer) {
    peer.receive_head();
    peer.send(text);
  };
}

Task<std::string> fetch(Context& ctx, Client& client, std::uint16_t port,
                        std::string method = "GET") {
  auto response = co_await client.send(ctx, {.method = method, .endpoint = local(port)});
  co_return co_await response.read_all(ctx, 1 << 20);
}

CO_TEST(HttpClientFailures, UsesAConnectionAgain) {
  RawServer server({answer_each(std::string(kOk))});
  Client client;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
  }
  EXPECT_EQ(server.connections(), 1u);
}

CO_TEST(HttpClientFailures, LeavesAConnectionWhoseBodyWasNotRead) {
  RawServer server({answer_each(std::string(kOk))});
  Client client;
  for (int i = 0; i < 2; ++i) {
    const auto response = co_await client.send(ctx, {.endpoint = local(server.port())});
    EXPECT_EQ(response.status(), 200);
  }
  EXPECT_LE(server.connections(), 2u);
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
}

CO_TEST(HttpClientFailures, NoticesThatAKeptConnectionWasClosed) {
  std::promise<void> closed;
  RawServer server({[&](RawPeer& peer) {
                      peer.receive_head();
                      peer.send(kOk);
                      peer.hang_up();
                      closed.set_value();
                    },
                    answer_each(std::string(kOk))});
  Client client;
  EXPECT_EQ(co_await fetch(ctx, client, server.port(), "POST"), "ok");
  closed.get_future().wait();
  EXPECT_EQ(co_await fetch(ctx, client, server.port(), "POST"), "ok");
}

CO_TEST(HttpClientFailures, RepeatsOnceOnAFreshConnectionWhatAKeptOneLost) {
  RawServer server({[](RawPeer& peer) {
                      peer.receive_head();
                      peer.send(kOk);
                      peer.receive_head();  // and hangs up without an answer
                    },
                    answer_each(std::string(kOk))});
  Client client;
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
  EXPECT_EQ(server.connections(), 2u);
}

CO_TEST(HttpClientFailures, DoesNotRepeatAPostUnlessTold) {
  const RawServer::Script hang_up_later = [](RawPeer& peer) {
    peer.receive_head();
    peer.send(kOk);
    peer.receive_head();
  };
  for (const bool repeatable : {false, true}) {
    RawServer server({hang_up_later, answer_each(std::string(kOk))});
    Client client;
    EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
    ClientRequest request{
        .method = "POST", .endpoint = local(server.port()), .repeatable = repeatable};
    if (repeatable) {
      EXPECT_EQ((co_await client.send(ctx, request)).status(), 200);
    } else {
      CO_EXPECT_ERROR(client.send(ctx, request), ErrorCode::unavailable);
    }
  }
}

CO_TEST(HttpClientFailures, DoesNotRepeatOnAFreshConnection) {
  RawServer server({[](RawPeer& peer) { peer.receive_head(); }});
  Client client;
  CO_EXPECT_ERROR(fetch(ctx, client, server.port()), ErrorCode::unavailable);
  EXPECT_EQ(server.connections(), 1u);
}

CO_TEST(HttpClientFailures, NeverRepeatsAStreamThatWasRead) {
  RawServer server({[](RawPeer& peer) {
                      peer.receive_head();
                      peer.send(kOk);
                      peer.receive_head();
                      peer.receive_bytes(3);
                    },
                    answer_each(std::string(kOk))});
  Client client;
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
  io::StringSource body("abc");
  CO_EXPECT_ERROR(
      client.send(
          ctx,
          {.method = "PUT", .endpoint = local(server.port()), .stream = &body, .stream_bytes = 3}),
      ErrorCode::unavailable);
}

CO_TEST(HttpClientFailures, ReportsAResetInMidBody) {
  RawServer server({[](RawPeer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
    peer.receive_until("never");  // until the client hangs up: it has seen the bytes
    peer.reset();
  }});
  Client client({.idle_timeout = milliseconds(200)});
  auto response = co_await client.send(ctx, {.endpoint = local(server.port())});
  EXPECT_EQ(co_await response.body().read(ctx), "123");
  CO_EXPECT_ERROR(response.body().read(ctx), ErrorCode::unavailable);
  CO_EXPECT_ERROR(response.body().read(ctx), ErrorCode::unavailable);
}

CO_TEST(HttpClientFailures, ReportsEveryBodyThatEndsEarlyOrIsBroken) {
  for (const std::string& text :
       {std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n")}) {
    RawServer server({answer_once(text)});
    Client client;
    CO_EXPECT_ERROR(fetch(ctx, client, server.port()), ErrorCode::unavailable);
  }
}

CO_TEST(HttpClientFailures, ReadsABodyThatEndsWithTheConnection) {
  RawServer server({answer_once("HTTP/1.1 200 OK\r\n\r\nall of it")});
  Client client;
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "all of it");
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "all of it");
}

CO_TEST(HttpClientFailures, DoesNotKeepAConnectionThatSaysTooMuch) {
  RawServer server(
      {answer_each(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
       answer_each(std::string(kOk))});
  Client client;
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
  EXPECT_EQ(co_await fetch(ctx, client, server.port()), "ok");
}

CO_TEST(HttpClientFailures, SkipsInterimResponsesButNotEndlessly) {
  std::string many;
  for (int i = 0; i < 20; ++i)
    many += "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  RawServer polite({answer_each("HTTP/1.1 102 Processing\r\n\r\n" + std::string(kOk))});
  RawServer endless({answer_each(many + std::string(kOk))});
  Client client;
  EXPECT_EQ(co_await fetch(ctx, client, polite.port()), "ok");
  CO_EXPECT_ERROR(fetch(ctx, client, endless.port()), ErrorCode::unavailable);
}

CO_TEST(HttpClientFailures, RefusesHostileHeads) {
  for (const std::string& text :
       {std::string("garbage\r\n\r\n"), std::string("HTTP/1.1 200 OK\nContent-Length: 0\n\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n",
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n")}) {
    RawServer server({answer_once(text)});
    Client client;
    CO_EXPECT_ERROR(fetch(ctx, client, server.port()), ErrorCode::unavailable);
  }
}

CO_TEST(HttpClientFailures, HandsOutAnAnswerGivenBeforeTheBodyWasRead) {
  RawServer server({[](RawPeer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
    peer.wait_for_end();
  }});
  Client client;
  io::StringSource body(std::string(100, 'x'));
  auto response = co_await client.send(
      ctx,
      {.method = "PUT", .endpoint = local(server.port()), .stream = &body, .stream_bytes = 100});
  EXPECT_EQ(response.status(), 413);
  EXPECT_EQ(co_await response.read_all(ctx, 10), "big");
}

CO_TEST(HttpClientFailures, GivesUpOnASilentPeer) {
  RawServer server({[](RawPeer& peer) { peer.wait_for_end(); }});
  Client client({.idle_timeout = milliseconds(50)});
  CO_EXPECT_ERROR(fetch(ctx, client, server.port()), ErrorCode::unavailable);
}

CO_TEST(HttpClientFailures, EndsAtTheDeadline) {
  RawServer silent({[](RawPeer& peer) { peer.wait_for_end(); }});
  RawServer stalling({[](RawPeer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
    peer.wait_for_end();
  }});
  Client client;
  const auto start = std::chrono::steady_clock::now();
  for (const std::uint16_t port : {silent.port(), stalling.port()}) {
    Context brief = ctx.within(milliseconds(50));
    CO_EXPECT_ERROR(fetch(brief, client, port), ErrorCode::deadline_exceeded);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

CO_TEST(HttpClientFailures, TellsThatNobodyListens) {
  std::uint16_t port = 0;
  {
    RawServer gone({[](RawPeer&) {}});
    port = gone.port();
  }
  Client client;
  CO_EXPECT_ERROR(fetch(ctx, client, port), ErrorCode::unavailable);
  CO_EXPECT_ERROR(
      client.send(
          ctx,
          {.endpoint = {.scheme = Endpoint::Scheme::http, .host = "nobody.invalid", .port = 80}}),
      ErrorCode::unavailable);
}

CO_TEST(HttpClientFailures, WaitsForAFreeConnectionUntilTheDeadline) {
  RawServer server({[](RawPeer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
    peer.wait_for_end();
  }});
  Client client({.connections_per_host = 1});
  {
    auto holding = co_await client.send(ctx, {.endpoint = local(server.port())});
    Context brief = ctx.within(milliseconds(50));
    CO_EXPECT_ERROR(fetch(brief, client, server.port()), ErrorCode::deadline_exceeded);
    EXPECT_EQ(server.connections(), 1u);
  }
  auto next = co_await client.send(ctx, {.endpoint = local(server.port())});
  EXPECT_EQ(next.status(), 200);
}

Task<> fetch_forever(Client& client, std::uint16_t port, bool& ended) {
  Context ctx;
  try {
    co_await fetch(ctx, client, port);
  } catch (...) {
    ended = true;
    throw;
  }
}

CO_TEST(HttpClientFailures, WaitsForAFreeConnectionNoLongerThanForASilentPeer) {
  RawServer server({[](RawPeer& peer) { peer.wait_for_end(); }});
  Client client({.idle_timeout = std::chrono::hours(1), .connections_per_host = 1});
  io::TaskGroup group;
  bool ended = false;
  group.spawn(co_await boost::asio::this_coro::executor, "fetch",
              fetch_forever(client, server.port(), ended));
  while (server.connections() == 0)
    co_await io::yield();
  CO_EXPECT_ERROR(
      client.send(ctx, {.endpoint = local(server.port()), .idle_timeout = milliseconds(20)}),
      ErrorCode::unavailable);
  group.cancel();
  co_await group.join();
}

CO_TEST(HttpClientFailures, AProbeDoesNotWaitBehindOthers) {
  const auto answer = [](RawPeer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123");
    peer.wait_for_end();
  };
  RawServer server({answer, answer});
  Client client({.connections_per_host = 1});
  auto holding = co_await client.send(ctx, {.endpoint = local(server.port())});
  auto probe =
      co_await client.send(ctx, {.endpoint = local(server.port()), .ahead_of_others = true});
  EXPECT_EQ(probe.status(), 200);
  EXPECT_EQ(server.connections(), 2u);
}

CO_TEST(HttpClientFailures, ARequestMayBeLessPatientThanItsClient) {
  RawServer server({[](RawPeer& peer) { peer.wait_for_end(); }});
  Client client({.idle_timeout = std::chrono::hours(1)});
  CO_EXPECT_ERROR(
      client.send(ctx, {.endpoint = local(server.port()), .idle_timeout = milliseconds(20)}),
      ErrorCode::unavailable);
}

CO_TEST(HttpClientFailures, CanBeCancelledWhereverItWaits) {
  RawServer server({[](RawPeer& peer) { peer.wait_for_end(); }});
  Client client({.connections_per_host = 1});
  io::TaskGroup group;
  bool ended[2] = {};
  for (bool& flag : ended) {  // the second waits for the first's connection
    group.spawn(co_await boost::asio::this_coro::executor, "fetch",
                fetch_forever(client, server.port(), flag));
  }
  Context brief = ctx.within(milliseconds(50));
  CO_EXPECT_ERROR(fetch(brief, client, server.port()), ErrorCode::deadline_exceeded);
  group.cancel();
  co_await group.join();
  EXPECT_TRUE(ended[0] && ended[1]);
}

}  // namespace
}  // namespace tarn::http
