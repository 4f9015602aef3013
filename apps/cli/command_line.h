// The command line as its verbs see it: what each adds to it, by which names, and what is demanded
// of values. Parsing, --help and the words of its errors are CLI11's, which takes seconds to
// compile and is therefore included in one file alone.
//
// Thread contract: one thread. What options are bound to has to outlive parse().
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace vitrine::cli {

// An option that was added; valid as long as its command line. Of a verb that nobody asked for it
// is none, and nothing comes of what is demanded of it.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option& required(bool is = true);
  Option& one_of(std::initializer_list<const char*> values);
  Option& between(double least, double most);
  Option& between(unsigned least, unsigned most);
  Option& separated_by(char separator);
  // What --help calls its value, e.g. FILE.
  Option& of(const char* type);
  // May not be given together with that one.
  Option& excludes(const char* name);
  Option& excludes(const Option& other);

 private:
  CLI::Option* option_;
};

// A verb and its options. Names are as in "-o,--output"; without dashes, a positional argument.
// Only the verb that was asked for gets options: those of all would take 2 ms at each start.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Option option(const char* names, std::string& value, const char* help);
  Option option(const char* names, std::vector<std::string>& value, const char* help);
  Option option(const char* names, double& value, const char* help);
  Option option(const char* names, unsigned& value, const char* help);
  Option flag(const char* names, bool& value, const char* help);
  Option find(const char* name);
  void footer(const char* text);

  // Whether this is the verb that was given.
  bool given() const;

 private:
  CLI::App* app_;
};

class CommandLine {
 public:
  // `arguments`: without the program's name.
  CommandLine(std::vector<std::string> arguments, const char* name, const char* about,
              const char* version, const char* footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Command verb(const char* name, const char* about);

  enum class Outcome { parsed, told, wrong };  // told: help or version were asked for
  Outcome parse();

 private:
  std::unique_ptr<CLI::App> app_;
  std::vector<std::string> arguments_;
  std::string asked_;  // the verb; empty where there is none
};

}  // namespace vitrine::cli
