// All views that need no argument and tell of the moment, collected one after the other as if they
// were one: with one pause, one copy, one observation.
//
// Thread contract: one thread at a time per object. Cost: that of the views.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/session/session.h"
#include "vitrine/views/registry.h"

namespace vitrine::cli {

class AllViews final : public views::View {
 public:
  struct Part {
    const views::Declaration* declaration = nullptr;
    std::unique_ptr<views::View> view;  // null where it could not be attached
    std::optional<base::Error> error;   // why
    views::Outcome outcome;             // of the last collection
  };

  // Attaches each such view of the registry; one that can't be is kept with its error.
  explicit AllViews(session::Session& session);

  std::string_view name() const override { return "all"; }
  std::span<const views::Column> columns() const override { return {}; }
  // Complete where all parts are; they have their own warnings.
  views::Outcome collect(views::Reader& reader) override;
  std::size_t size() const override { return 0; }
  views::Row row(std::size_t) const override { return {}; }

  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;
};

}  // namespace vitrine::cli
