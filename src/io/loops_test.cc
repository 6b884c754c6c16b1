#include "io/loops.h"

#include <thread>

#include "io/task_group.h"
#include "testing/co_test.h"

namespace tarn::io {
namespace {

Task<> run_note_thread(std::thread::id& id) {
  id = std::this_thread::get_id();
  co_return;
}

CO_TEST(Loops, HaveAThreadEachAndArePickedInTurn) {
  Loops loops(2);
  EXPECT_EQ(loops.size(), 2U);
  TaskGroup group;
  std::thread::id a, b, c, d;
  group.spawn(loops.executor(0), "note", run_note_thread(a));
  group.spawn(loops.executor(1), "note", run_note_thread(b));
  group.spawn(loops.any(), "note", run_note_thread(c));
  group.spawn(loops.any(), "note", run_note_thread(d));
  co_await group.join();
  EXPECT_NE(a, b);
  EXPECT_NE(c, d);
  EXPECT_TRUE(c == a || c == b);
  EXPECT_NE(a, std::this_thread::get_id());
}

}  // namespace
}  // namespace tarn::io
