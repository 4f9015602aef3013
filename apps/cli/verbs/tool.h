// What the tools for single values, types and addresses share: how they look at the guest, and what
// stands around their answers in JSON.
//
// Thread contract: one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/cli/verbs/verb.h"
#include "vitrine/base/json.h"
#include "vitrine/paging/walked_memory.h"

namespace vitrine::cli {

class Tool {
 public:
  // `target` outlives this. Errors: as Target::open.
  static base::Result<Tool> open(const Target& target);

  session::Session& session() { return *session_; }
  const kernel::Kernel& kernel() const { return session_->kernel(); }
  // The kernel's memory through its page tables, for use while looking.
  paging::WalkedMemory walked(memory::PhysicalMemory& memory) const {
    return {*kernel().space.format, kernel().space.root, memory};
  }

  // Looks once, as session::Session::observe. Errors: as that.
  base::Result<void> look(const session::Session::Look& look);

  void warn_about(std::string what) { warnings_.push_back(std::move(what)); }

  // Prints `text`, or as JSON `answer` as the member `key` of the usual object; warnings go with
  // it.
  Exit answer(const std::string& text, const char* key, nlohmann::ordered_json answer,
              Exit exit = Exit::complete);

 private:
  Tool(const Target& target, std::unique_ptr<session::Session> session)
      : target_(&target), session_(std::move(session)), warnings_(session_->warnings()) {}

  const Target* target_;
  std::unique_ptr<session::Session> session_;
  std::vector<std::string> warnings_;
  nlohmann::ordered_json observation_;
};

}  // namespace vitrine::cli
