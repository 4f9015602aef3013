#include "apps/cli/all_views.h"

#include "vitrine/views/processes.h"

namespace vitrine::cli {
namespace {

// The registry leaves out what costs extra, for who measures. Here everything is asked for.
base::Result<std::unique_ptr<views::View>> attach(const views::Declaration& declaration,
                                                  session::Session& session) {
  if (declaration.name == "processes")
    return views::Processes::attach(session.kernel(), session.memory(), {});
  return declaration.attach(session.kernel(), session.memory());
}

}  // namespace

AllViews::AllViews(session::Session& session) {
  for (const views::Declaration& declaration : views::all()) {
    if (!declaration.of_the_moment) continue;
    Part part{&declaration, nullptr, std::nullopt, {}};
    auto attached = attach(declaration, session);
    if (attached) {
      part.view = std::move(*attached);
      std::vector<std::string_view> columns;
      for (const views::Column& column : declaration.columns) columns.push_back(column.name);
      part.view->want(session.kernel(), session.memory(), columns);
    } else {
      part.error = attached.error();
    }
    parts_.push_back(std::move(part));
  }
}

views::Outcome AllViews::collect(views::Reader& reader) {
  views::Outcome outcome;
  for (Part& part : parts_) {
    if (part.view) part.outcome = part.view->collect(reader);
    outcome.complete = outcome.complete && part.view && part.outcome.complete;
  }
  return outcome;
}

}  // namespace vitrine::cli
