// What the keeper of a process's copy does (process_copy.h): clones the process, and looks after
// the copy.
//
// Thread contract: of the keeper's only thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <vector>

#include "vitrine/host/keeper.h"
#include "vitrine/host/process_copy.h"
#include "vitrine/host/remote_errand.h"

namespace vitrine::host {

class CopyingTask final : public Task {
 public:
  static constexpr std::string_view kTake = "take";  // then "START SIZE" of each range, in hex
  static constexpr std::string_view kCheck = "check";
  static constexpr std::string_view kDrop = "drop";
  static constexpr std::string_view kHold = "hold";  // then "SECONDS PATH"
  static constexpr std::string_view kDescribe = "describe";
  static constexpr std::string_view kRelease = "release";

  CopyingTask(const ProcessIdentity& process, const CopyLimits& limits)
      : process_(process), limits_(limits) {}
  ~CopyingTask() override;
  CopyingTask(const CopyingTask&) = delete;
  CopyingTask& operator=(const CopyingTask&) = delete;

  Answer answer(std::string_view request) override;
  bool busy() const override { return child_ != 0 || listener_.valid(); }
  void look_after() override;
  // A thread that could not be stopped is let go by this process's end only.
  bool finished() const override { return stuck_ || released_; }
  int listener() const override { return listener_.get(); }

 private:
  Answer take(const std::vector<HostRange>& ranges);
  Answer check();
  Answer hold(std::string_view time_and_path);
  Answer describe();
  bool can_be_found() const;
  base::Result<pid_t> clone_unless_disturbed(RemoteErrand& errand,
                                             const std::vector<HostRange>& marked);
  base::Result<pid_t> clone(RemoteCalls& calls, const std::vector<HostRange>& marked);
  void kill_child();

  ProcessIdentity process_;
  CopyLimits limits_;
  std::optional<base::HostVirtual> syscall_;
  pid_t child_ = 0;  // the copy; 0: none
  std::uint64_t growth_ = 0;
  std::uint64_t faults_before_ = 0;
  base::Error lost_;  // why the copy was given up; no message: it was not
  bool stuck_ = false;
  std::vector<HostRange> ranges_;  // that the copy is of
  // Where the copy is held when who took it is gone, and until when.
  base::FileDescriptor listener_;
  std::filesystem::path path_;
  ino_t socket_ = 0;  // what is there
  std::chrono::steady_clock::time_point until_;
  bool released_ = false;
};

}  // namespace vitrine::host
