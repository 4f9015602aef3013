// What a kernel's own tables were asked, and what they answered: where a symbol is, where a member
// stands in its structure. Some sixty questions are all that a view needs, while decoding the
// tables takes most of the time of a short run; so answers can be kept between runs, together with
// samples of the tables that they stem from (see recollection.h).
//
// Addresses are kept relative to _stext, since KASLR moves the kernel at each boot.
//
// Thread contract: any number of threads.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace vitrine::kernel {

class Answers {
 public:
  Answers() = default;
  explicit Answers(std::map<std::string, std::string> known) : known_(std::move(known)) {}

  std::optional<std::string> find(const std::string& question) const {
    const std::lock_guard lock(mutex_);
    const auto found = known_.find(question);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }

  void add(std::string question, std::string answer) {
    const std::lock_guard lock(mutex_);
    grown_ = known_.insert_or_assign(std::move(question), std::move(answer)).second || grown_;
  }

  // From now on also what is asked too often and too variously to be kept between runs.
  void keep_all() {
    const std::lock_guard lock(mutex_);
    keeps_all_ = true;
  }
  bool keeps_all() const {
    const std::lock_guard lock(mutex_);
    return keeps_all_;
  }

  std::map<std::string, std::string> all() const {
    const std::lock_guard lock(mutex_);
    return known_;
  }

  // Whether a question was asked that had no answer yet, since they were kept last.
  bool grown() const {
    const std::lock_guard lock(mutex_);
    return grown_;
  }

  void set_kept() {
    const std::lock_guard lock(mutex_);
    grown_ = false;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> known_;
  bool grown_ = false;
  bool keeps_all_ = false;
};

}  // namespace vitrine::kernel
