#include "app/control.h"

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/blocking_wait.h"
#include "base/error.h"
#include "io/blocking_pool.h"
#include "io/loops.h"
#include "kv/rocks/rocks_store.h"
#include "testing/temp_dir.h"

namespace tarn::app {
namespace {

class Control : public ::testing::Test {
 public:
  Control() { std::filesystem::create_directories(directory); }

  ~Control() override {
    wait_for(loops.any(), socket.stop());
    wait_for(loops.any(), store->close());
  }

  std::string message_of(ControlClient& client, const std::string& line) {
    try {
      client.run(line);
    } catch (const Error& error) {
      return error.message();
    }
    return "ok";
  }

  testing::TempDir dir;
  // Longer than the address of a socket may be.
  std::filesystem::path directory = dir.path() / std::string(150, 'd');
  io::Loops loops{1};
  io::BlockingPool pool{{.name = "metadata"}};
  std::unique_ptr<kv::RocksStore> store =
      kv::RocksStore::open({.directory = directory.string()}, pool);
  ControlSocket socket{directory, *store, loops.any()};
};

TEST_F(Control, MakesACheckpointAndSaysWhyNot) {
  socket.start();
  ControlClient client(directory);
  EXPECT_EQ(message_of(client, "checkpoint " + dir.file("copy")), "ok");
  EXPECT_TRUE(std::filesystem::exists(dir.path() / "copy" / "CURRENT"));
  EXPECT_NE(message_of(client, "checkpoint " + dir.file("copy")).find("exists"), std::string::npos);
  EXPECT_NE(message_of(client, "checkpoint relative").find("absolute"), std::string::npos);
  EXPECT_NE(message_of(client, "dance").find("unknown"), std::string::npos);
  EXPECT_NE(message_of(client, "checkpoint /a\nb").find("line break"), std::string::npos);
  EXPECT_EQ(message_of(client, "checkpoint " + dir.file("again")), "ok");
}

TEST_F(Control, TheSocketIsItsOwnersAndGoesWithTheServer) {
  EXPECT_THROW(ControlClient client(directory), Error);
  socket.start();
  struct ::stat status{};
  ASSERT_EQ(::stat((directory / kControlSocketName).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  wait_for(loops.any(), socket.stop());
  EXPECT_FALSE(std::filesystem::exists(directory / kControlSocketName));
}

TEST_F(Control, ADeadServersSocketIsReplaced) {
  {
    ControlSocket dead(directory, *store, loops.any());
    dead.start();
    std::filesystem::create_hard_link(directory / kControlSocketName, directory / "left");
    wait_for(loops.any(), dead.stop());
  }
  std::filesystem::rename(directory / "left", directory / kControlSocketName);
  EXPECT_THROW(ControlClient client(directory), Error);
  socket.start();
  ControlClient client(directory);
  EXPECT_EQ(message_of(client, "checkpoint " + dir.file("copy")), "ok");
}

}  // namespace
}  // namespace tarn::app
