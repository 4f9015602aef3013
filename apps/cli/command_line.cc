#include "apps/cli/command_line.h"

#include <CLI/CLI.hpp>

namespace vitrine::cli {

Option& Option::required(bool is) {
  option_->required(is);
  return *this;
}

Option& Option::one_of(std::initializer_list<const char*> values) {
  option_->check(CLI::IsMember(std::vector<std::string>(values.begin(), values.end())));
  return *this;
}

Option& Option::between(double least, double most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::between(unsigned least, unsigned most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option& Option::separated_by(char separator) {
  option_->delimiter(separator);
  return *this;
}

Option& Option::of(const char* type) {
  option_->type_name(type);
  return *this;
}

Option& Option::excludes(const char* name) {
  option_->excludes(name);
  return *this;
}

Option& Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

Option Command::option(const char* names, std::string& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::option(const char* names, std::vector<std::string>& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::option(const char* names, double& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::option(const char* names, unsigned& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::flag(const char* names, bool& value, const char* help) {
  return Option(app_->add_flag(names, value, help));
}

Option Command::find(const char* name) { return Option(app_->get_option(name)); }

void Command::footer(const char* text) { app_->footer(text); }

bool Command::given() const { return app_->parsed(); }

CommandLine::CommandLine(const char* name, const char* about, const char* version,
                         const char* footer)
    : app_(std::make_unique<CLI::App>(about, name)) {
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->footer(footer);
}

CommandLine::~CommandLine() = default;

Command CommandLine::verb(const char* name, const char* about) {
  return Command(app_->add_subcommand(name, about));
}

CommandLine::Outcome CommandLine::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
    return Outcome::parsed;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? Outcome::told : Outcome::wrong;
  }
}

}  // namespace vitrine::cli
