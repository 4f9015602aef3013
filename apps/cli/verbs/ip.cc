#include <array>
#include <string>

#include "apps/cli/verbs/view_command.h"
#include "vitrine/views/addresses.h"
#include "vitrine/views/links.h"
#include "vitrine/views/neighbours.h"
#include "vitrine/views/routes.h"

namespace vitrine::cli {
namespace {

struct IpArguments {
  ViewOptions view;
  std::string object = "addr";
};

// What the verb can show, by the names that ip(8) gives it.
struct Object {
  std::string_view name;
  base::Result<std::unique_ptr<views::View>> (*attach)(const kernel::Kernel&,
                                                       memory::PhysicalMemory&);
  std::string_view table_columns;
};

constexpr std::array<Object, 4> kObjects{{
    {"addr", views::Addresses::attach,
     "namespace,interface,family,address,prefix_length,peer,broadcast,scope,flags"},
    {"link", views::Links::attach,
     "namespace,index,name,type,link_address,mtu_bytes,state,flags,rx_bytes,rx_packets,tx_bytes,"
     "tx_packets"},
    {"route", views::Routes::attach,
     "namespace,family,table,type,destination,gateway,interface,source,metric,scope,protocol"},
    {"neigh", views::Neighbours::attach, "namespace,interface,family,neighbour,link_address,state"},
}};

Exit run_ip(const IpArguments& arguments) {
  std::string known;
  for (const Object& object : kObjects) {
    known += (known.empty() ? "" : ", ") + std::string(object.name);
    if (object.name != arguments.object) continue;
    ViewCommand command;
    command.attach = [&object](session::Session& session) {
      return object.attach(session.kernel(), session.memory());
    };
    command.table_columns = object.table_columns;
    // Nothing was exchanged with anybody.
    if (object.name == "neigh") command.empty_means = "no neighbour is known";
    if (object.name == "route") command.empty_means = "there is no route";
    if (object.name == "addr") command.empty_means = "no interface has an address";
    return run_view(arguments.view, command);
  }
  return report({base::Code::invalid, "ip knows nothing of \"" + arguments.object + "\"",
                 "choose one of: " + known},
                arguments.view.target.json);
}

}  // namespace

Verb add_ip(CommandLine& line) {
  Command command =
      line.verb("ip", "Show the guest's network: addresses, interfaces, routes, neighbours");
  auto arguments = std::make_shared<IpArguments>();
  arguments->view.add_to(command);
  command.option("OBJECT", arguments->object,
                 "addr: addresses (the default); link: interfaces and what they carried; route: "
                 "routes; neigh: neighbours");
  return {command, [arguments] { return run_ip(*arguments); }};
}

}  // namespace vitrine::cli
