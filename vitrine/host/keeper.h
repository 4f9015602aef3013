// A process of its own that does to another process what has to be undone whatever happens to this
// one: it is the only tracer, and the requests of this process are all that it waits for. When this
// process ends, SIGKILL included, the keeper undoes what it did and ends, too, unless its task was
// told to stay.
//
// Thread contract: one thread at a time per object. Cost: starting one takes about a millisecond, a
// request some 20 us.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/base/file_descriptor.h"
#include "vitrine/base/result.h"

namespace vitrine::host {

// How the name begins that ps shows of any keeper.
constexpr std::string_view kKeeperPrefix = "vitrine-";

// What a keeper does; lives in the keeper's process, and undoes everything when it is destroyed.
class Task {
 public:
  using Answer = base::Result<std::vector<std::string>>;  // texts without zero bytes

  virtual ~Task() = default;

  // Errors are told with code, message and remedy.
  virtual Answer answer(std::string_view request) = 0;

  // Whether look_after() is to be called every 50 ms.
  virtual bool busy() const { return false; }
  virtual void look_after() {}

  // Whether the process has to end now, having answered or looked after things.
  virtual bool finished() const { return false; }

  // Set by the keeper: whether who asked last is gone, or has given up waiting for the answer.
  std::function<bool()> abandoned = [] { return false; };

  // A listening socket through which others may ask once this process is gone; -1 where the keeper
  // ends then.
  virtual int listener() const { return -1; }
};

class Keeper {
 public:
  // `name`: what ps shows, at most 15 bytes. Error: as start_detached.
  static base::Result<Keeper> start(const char* name,
                                    const std::function<std::unique_ptr<Task>()>& make);

  // One that stayed, by the path of its socket. Error: `absent` where there is none.
  static base::Result<Keeper> find(const std::filesystem::path& path);

  // Errors: the task's own; `gone` where the keeper ended, `timeout` where it does not answer
  // within `limit` and five seconds more.
  Task::Answer ask(std::string_view request, std::chrono::milliseconds limit);

 private:
  explicit Keeper(base::FileDescriptor socket) : socket_(std::move(socket)) {}

  base::FileDescriptor socket_;  // the keeper ends when this end is closed
};

// A listening socket at `path`, whose folder must be for the user alone; whatever was there is
// replaced. Errors: as bind.
base::Result<base::FileDescriptor> listen_at(const std::filesystem::path& path);

}  // namespace vitrine::host
