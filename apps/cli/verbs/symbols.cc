#include "apps/cli/glob.h"
#include "apps/cli/place.h"
#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/symbol_table.h"

namespace vitrine::cli {
namespace {

struct SymbolsArguments {
  ViewOptions view;
  std::string wanted;
};

// An address names the symbol that it belongs to; anything else is a pattern for names.
base::Result<views::SymbolTableOptions> options_of(const std::string& wanted,
                                                   const kernel::SymbolLookup& symbols) {
  views::SymbolTableOptions options;
  if (wanted.empty()) return options;
  const bool address = wanted.starts_with("0x") || wanted.starts_with("0X") ||
                       wanted.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
  if (address && (wanted.size() == 16 || wanted[0] == '0')) {
    const auto place = parse_place(wanted, symbols);
    if (!place) return base::fail(place.error());
    options.address = base::GuestVirtual(place->address);
    return options;
  }
  options.wanted = [wanted](std::string_view name) { return glob_matches(wanted, name); };
  return options;
}

Exit run_symbols(const SymbolsArguments& arguments) {
  ViewCommand command;
  command.attach =
      [&arguments](session::Session& session) -> base::Result<std::unique_ptr<views::View>> {
    auto options = options_of(arguments.wanted, session.kernel().symbols);
    if (!options) return base::fail(options.error());
    return views::SymbolTable::attach(session.kernel(), std::move(*options));
  };
  command.empty_means = "no symbol of the kernel or of its modules fits";
  return run_view(arguments.view, command);
}

}  // namespace

Verb add_symbols(CommandLine& line) {
  Command command = line.verb("symbols", "List symbols of the guest's kernel and modules");
  auto arguments = std::make_shared<SymbolsArguments>();
  arguments->view.add_to(command);
  command.option("WANTED", arguments->wanted,
                 "A name, a shell pattern for names such as 'tcp_*', or an address 0xffff…, whose "
                 "symbol is shown with the distance from it; without it, all");
  return {command, [arguments] { return run_symbols(*arguments); }};
}

}  // namespace vitrine::cli
