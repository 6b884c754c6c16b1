#include "kv/rocks/use_gate.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tarn::kv {
namespace {

TEST(UseGate, LetsNobodyInAfterClose) {
  UseGate gate;
  {
    auto use = gate.enter();
    ASSERT_TRUE(use.has_value());
  }
  gate.close();
  EXPECT_FALSE(gate.enter().has_value());
  gate.close();
}

TEST(UseGate, CloseWaitsForTheLastUse) {
  for (int round = 0; round < 50; ++round) {
    UseGate gate;
    std::atomic<int> inside = 0;
    std::atomic<bool> closed = false;
    std::atomic<bool> broken = false;
    std::vector<std::thread> users;
    for (int i = 0; i < 3; ++i) {
      users.emplace_back([&] {
        while (auto use = gate.enter()) {
          ++inside;
          auto moved = std::move(*use);
          if (closed) broken = true;
          --inside;
        }
      });
    }
    while (inside == 0)
      std::this_thread::yield();
    gate.close();
    closed = true;
    EXPECT_EQ(inside, 0);
    for (auto& user : users)
      user.join();
    EXPECT_FALSE(broken);
  }
}

}  // namespace
}  // namespace tarn::kv
