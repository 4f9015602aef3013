#include "apps/cli/verbs/tool.h"

#include <unistd.h>

#include "apps/cli/json_text.h"

namespace vitrine::cli {

base::Result<Tool> Tool::open(const Target& target) {
  auto session = target.open();
  if (!session) return base::fail(session.error());
  return Tool(target, std::move(*session));
}

base::Result<void> Tool::look(const session::Session::Look& look) {
  auto observation = session_->observe(look);
  if (!observation) return base::fail(observation.error());
  observation_ = provenance_json(provenance_of(*observation));
  warnings_.insert(warnings_.end(), observation->outcome.warnings.begin(),
                   observation->outcome.warnings.end());
  return {};
}

Exit Tool::answer(const std::string& text, const char* key, nlohmann::ordered_json answer,
                  Exit exit) {
  if (!target_->json) {
    warn(warnings_);
    return print(text, exit);
  }
  nlohmann::ordered_json object = {{"schema", 1},
                                   {"vm", vm_json(identity(*session_, target_->vm))},
                                   {"kernel", kernel_json(identity(kernel()))},
                                   {"technique", std::string(session_->technique().id)}};
  if (!observation_.is_null()) object["observation"] = observation_;
  object[key] = std::move(answer);
  object["warnings"] = texts_json(warnings_);
  return print(json_text(object, json_layout(inspect(STDOUT_FILENO), false)), exit);
}

}  // namespace vitrine::cli
