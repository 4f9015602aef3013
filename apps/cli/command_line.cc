#include "apps/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>

namespace vitrine::cli {

Option& Option::required(bool is) {
  if (option_ != nullptr) option_->required(is);
  return *this;
}

Option& Option::one_of(std::initializer_list<const char*> values) {
  if (option_ != nullptr)
    option_->check(CLI::IsMember(std::vector<std::string>(values.begin(), values.end())));
  return *this;
}

Option& Option::between(double least, double most) {
  if (option_ != nullptr) option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::between(unsigned least, unsigned most) {
  if (option_ != nullptr) option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::separated_by(char separator) {
  if (option_ != nullptr) option_->delimiter(separator);
  return *this;
}

Option& Option::of(const char* type) {
  if (option_ != nullptr) option_->type_name(type);
  return *this;
}

Option& Option::excludes(const char* name) {
  if (option_ != nullptr) option_->excludes(name);
  return *this;
}

Option& Option::excludes(const Option& other) {
  if (option_ != nullptr) option_->excludes(other.option_);
  return *this;
}

Option Command::option(const char* names, std::string& value, const char* help) {
  return Option(app_ == nullptr ? nullptr : app_->add_option(names, value, help));
}

Option Command::option(const char* names, std::vector<std::string>& value, const char* help) {
  return Option(app_ == nullptr ? nullptr : app_->add_option(names, value, help));
}

Option Command::option(const char* names, double& value, const char* help) {
  return Option(app_ == nullptr ? nullptr : app_->add_option(names, value, help));
}

Option Command::option(const char* names, unsigned& value, const char* help) {
  return Option(app_ == nullptr ? nullptr : app_->add_option(names, value, help));
}

Option Command::flag(const char* names, bool& value, const char* help) {
  return Option(app_ == nullptr ? nullptr : app_->add_flag(names, value, help));
}

Option Command::find(const char* name) {
  return Option(app_ == nullptr ? nullptr : app_->get_option(name));
}

void Command::footer(const char* text) {
  if (app_ != nullptr) app_->footer(text);
}

bool Command::given() const { return app_ != nullptr && app_->parsed(); }

CommandLine::CommandLine(std::vector<std::string> arguments, const char* name, const char* about,
                         const char* version, const char* footer)
    : app_(std::make_unique<CLI::App>(about, name)), arguments_(std::move(arguments)) {
  const auto verb = std::ranges::find_if_not(
      arguments_, [](const std::string& argument) { return argument.starts_with('-'); });
  if (verb != arguments_.end()) asked_ = *verb;
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->footer(footer);
}

CommandLine::~CommandLine() = default;

Command CommandLine::verb(const char* name, const char* about) {
  CLI::App* app = app_->add_subcommand(name, about);
  return Command(asked_ == name ? app : nullptr);
}

CommandLine::Outcome CommandLine::parse() {
  try {
    // It takes them from the end.
    std::vector<std::string> reversed(arguments_.rbegin(), arguments_.rend());
    app_->parse(std::move(reversed));
    return Outcome::parsed;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? Outcome::told : Outcome::wrong;
  }
}

}  // namespace vitrine::cli
