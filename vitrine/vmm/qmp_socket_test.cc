#include "vitrine/vmm/qmp_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "vitrine/host/testing/fake_proc.h"

namespace vitrine::vmm {
namespace {

// A listening socket bound through its folder, so that its path may be longer than 107 bytes.
base::FileDescriptor listen_at(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  const base::FileDescriptor folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY));
  base::FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name =
      "/proc/self/fd/" + std::to_string(folder.get()) + "/" + path.filename().string();
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket.get(), 1), 0);
  return socket;
}

class QmpSocket : public ::testing::Test {
 protected:
  const std::string& root() const { return proc_.root().path; }

  host::testing::FakeProc proc_;
};

TEST_F(QmpSocket, IsFoundRelativeToTheWorkingDirectory) {
  const auto socket = listen_at(root() + "/12/cwd/run/qmp");
  const auto endpoint = locate({"run/qmp", {}, "-qmp"}, 12, proc_.root());
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->path, root() + "/12/cwd/run/qmp");
  EXPECT_TRUE(connect(endpoint->path, std::chrono::seconds(1)));
}

TEST_F(QmpSocket, IsFoundInAnotherMountNamespaceEvenIfItsPathExistsHere) {
  const auto decoy = listen_at(root() + "/qmp");
  const auto socket = listen_at(root() + "/12/root" + root() + "/qmp");
  const auto endpoint = locate({root() + "/qmp", {}, "-qmp"}, 12, proc_.root());
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->path, root() + "/12/root" + root() + "/qmp");
  EXPECT_EQ(endpoint->shown, root() + "/qmp");
}

TEST_F(QmpSocket, InheritedIsFoundByItsInode) {
  const auto socket = listen_at(root() + "/12/root/run/a b");
  proc_.link("12/fd/32", "socket:[4711]");
  proc_.write("12/net/unix",
              "Num       RefCount Protocol Flags    Type St Inode Path\n"
              "0000000000000000: 00000002 00000000 00010000 0001 01 47111 /wrong\n"
              "0000000000000000: 00000002 00000000 00010000 0001 01  4711 /run/a b\n");
  const auto endpoint = locate({"", 32, "-mon"}, 12, proc_.root());
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->shown, "/run/a b");
  EXPECT_FALSE(locate({"", 33, "-mon"}, 12, proc_.root()));
}

TEST_F(QmpSocket, AClientIsNoticed) {
  const QmpEndpoint endpoint{"/x", "/run/qmp", "-qmp"};
  EXPECT_FALSE(has_client(endpoint, 12, proc_.root()));
  const std::string waiting =
      "Num\n0: 00000002 00000000 00010000 0001 01 9 /run/qmp\n"
      "0: 00000002 00000000 00000000 0001 03 0 /run/qmp\n";
  proc_.write("12/net/unix", waiting);
  EXPECT_FALSE(has_client(endpoint, 12, proc_.root()));
  proc_.write("12/net/unix", waiting + "0: 00000003 00000000 00000000 0001 03 10 /run/qmp\n");
  EXPECT_TRUE(has_client(endpoint, 12, proc_.root()));
}

TEST_F(QmpSocket, APathMayBeLongerThanAnAddressHolds) {
  const std::string path = root() + "/" + std::string(100, 'a') + "/" + std::string(80, 'b');
  const auto socket = listen_at(path);
  EXPECT_TRUE(connect(path, std::chrono::seconds(1)));
}

TEST_F(QmpSocket, NobodyListeningAndAFullQueueAreDifferent) {
  EXPECT_EQ(connect(root() + "/none", std::chrono::milliseconds(50)).error().code,
            base::Code::absent);
  const auto socket = listen_at(root() + "/full");
  std::vector<base::FileDescriptor> clients;
  while (clients.size() < 100) {
    auto client = connect(root() + "/full", std::chrono::milliseconds(20));
    if (!client) {
      EXPECT_EQ(client.error().code, base::Code::timeout);
      return;
    }
    clients.push_back(std::move(*client));
  }
  FAIL() << "the queue never filled";
}

}  // namespace
}  // namespace vitrine::vmm
