#include "vitrine/vmm/libvirt_domain.h"

#include <chrono>
#include <cstring>
#include <utility>
#include <vector>

#include "vitrine/host/time_limit.h"
#include "vitrine/vmm/libvirt_library.h"
#include "vitrine/vmm/machine.h"

namespace vitrine::vmm {
namespace {

constexpr std::chrono::seconds kCallPatience{10};

base::Error silent(const LibvirtDaemon& daemon) {
  return {base::Code::timeout, "the libvirt daemon " + daemon.uri + " does not answer",
          "restart it, or use another technique"};
}

base::Error refused(const LibvirtDaemon& daemon, std::string words) {
  return {base::Code::unreadable, "the libvirt daemon " + daemon.uri + " refused: " + words,
          "run it as the user whose daemon it is, or with sudo"};
}

base::Error nowhere(const std::string& what, bool daemons) {
  if (!daemons)
    return {base::Code::absent, "no libvirt daemon listens on this host",
            "start the VM through libvirt (virsh), or use another technique"};
  return {base::Code::absent, "no libvirt daemon on this host runs " + what,
          "`virsh list` names the domains; -c qemu:///session those of a user's own daemon"};
}

}  // namespace

// What calls into the library touch. One that was given up goes on with it, so that it is freed
// only by the last call.
struct LibvirtDomain::Connection {
  struct Shared {
    const LibvirtLibrary* library = nullptr;
    virConnectPtr connect = nullptr;
    virDomainPtr domain = nullptr;
    std::string error;
    std::string uuid;
    std::string name;
    std::vector<std::byte> bytes;
    bool running = false;
    bool done = false;

    // By UUID, or by name where that is empty.
    void look_up(const std::string& uri, const std::string& wanted_uuid,
                 const std::string& wanted_name) {
      connect = library->connect_open(uri.c_str());
      if (connect == nullptr) {
        error = library->last_error();
        return;
      }
      domain = wanted_uuid.empty() ? library->domain_by_name(connect, wanted_name.c_str())
                                   : library->domain_by_uuid(connect, wanted_uuid.c_str());
      if (domain == nullptr || library->domain_is_active(domain) != 1) return;
      char text[VIR_UUID_STRING_BUFLEN];
      const char* const known_as = library->domain_name(domain);
      if (known_as == nullptr || library->domain_uuid(domain, text) != 0) return;
      uuid = text;
      name = known_as;
      done = wanted_name.empty() || name == wanted_name;
    }

    void peek(base::GuestPhysical at, std::size_t size) {
      bytes.resize(size);
      done = library->memory_peek(domain, at.value, size, bytes.data(), VIR_MEMORY_PHYSICAL) == 0;
    }

    void ask_state() {
      int state = VIR_DOMAIN_NOSTATE;
      done = library->domain_state(domain, &state, nullptr, 0) == 0;
      if (!done) error = library->last_error();
      running = state == VIR_DOMAIN_RUNNING;
    }

    // Live: QEMU stops the guest itself, so that it goes on even if the daemon dies meanwhile.
    void dump(const std::string& path) {
      done = library->core_dump(domain, path.c_str(), VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
                                VIR_DUMP_MEMORY_ONLY | VIR_DUMP_LIVE) == 0;
      if (!done) error = library->last_error();
    }

    void close() {
      if (domain != nullptr) library->domain_free(domain);
      if (connect != nullptr) library->connect_close(connect);
    }
  };

  std::shared_ptr<Shared> shared = std::make_shared<Shared>();
  host::TimeLimit time_limit;

  template <class Call>
  bool run(Call call, std::chrono::milliseconds limit = kCallPatience) {
    shared->done = false;
    return time_limit.run([call, state = shared] { call(*state); }, limit);
  }
};

LibvirtDomain::LibvirtDomain() : connection_(std::make_unique<Connection>()) {}
LibvirtDomain::LibvirtDomain(LibvirtDomain&& other) noexcept = default;
LibvirtDomain& LibvirtDomain::operator=(LibvirtDomain&& other) noexcept = default;

LibvirtDomain::~LibvirtDomain() {
  if (connection_) (void)connection_->run([](Connection::Shared& shared) { shared.close(); });
}

base::Result<std::optional<LibvirtDomain>> LibvirtDomain::at(const LibvirtDaemon& daemon,
                                                             const std::string& uuid,
                                                             const std::string& name) {
  const auto library = LibvirtLibrary::get();
  if (!library) return base::fail(library.error());
  LibvirtDomain domain;
  Connection& connection = *domain.connection_;
  connection.shared->library = *library;
  const bool answered = connection.run([uri = daemon.uri, uuid, name](Connection::Shared& shared) {
    shared.look_up(uri, uuid, name);
  });
  if (!answered) return base::fail(silent(daemon));
  if (!connection.shared->error.empty())
    return base::fail(refused(daemon, connection.shared->error));
  if (!connection.shared->done) return std::optional<LibvirtDomain>{};
  domain.daemon_ = daemon;
  domain.uuid_ = connection.shared->uuid;
  domain.name_ = connection.shared->name;
  return std::optional<LibvirtDomain>(std::move(domain));
}

base::Result<LibvirtDomain> LibvirtDomain::of(const Machine& machine, const host::ProcRoot& proc) {
  if (machine.uuid.empty())
    return base::fail(base::Code::absent, "the VM was not started by libvirt: it has no UUID",
                      "start it through libvirt (virsh), or use another technique");
  const auto daemons = libvirt_daemons(proc);
  base::Error error = nowhere("this VM", !daemons.empty());
  for (const LibvirtDaemon& daemon : daemons) {
    auto domain = at(daemon, machine.uuid, machine.name);
    if (domain && *domain) return std::move(**domain);
    if (!domain) error = domain.error();
    if (error.code == base::Code::unsupported) break;
  }
  return base::fail(std::move(error));
}

base::Result<LibvirtDomain> LibvirtDomain::named(const DomainName& name,
                                                 const host::ProcRoot& proc) {
  std::optional<LibvirtDomain> found;
  const auto daemons = libvirt_daemons(proc);
  base::Error error = nowhere("a domain " + name.name, !daemons.empty());
  for (const LibvirtDaemon& daemon : daemons) {
    if (!name.may_be_at(daemon)) continue;
    auto domain = at(daemon, {}, name.name);
    if (!domain) {
      error = domain.error();
    } else if (*domain && found && found->uuid_ != (*domain)->uuid_) {
      return base::fail(base::Code::ambiguous,
                        "several libvirt daemons run a domain " + name.name + ": " +
                            found->daemon_.uri + ", " + daemon.uri,
                        "say whose, e.g. libvirt:" + found->daemon_.uri + "/" + name.name);
    } else if (*domain && !found) {
      found = std::move(*domain);
    }
  }
  if (!found) return base::fail(std::move(error));
  return std::move(*found);
}

void LibvirtDomain::read(std::span<memory::ReadRequest> requests) {
  for (memory::ReadRequest& request : requests) {
    request.status = memory::ReadStatus::ok;
    for (std::size_t at = 0; at < request.into.size(); at += kLongest) {
      const auto part = request.into.subspan(at, std::min(kLongest, request.into.size() - at));
      const bool answered =
          connection_->run([from = request.address + at, size = part.size()](
                               Connection::Shared& shared) { shared.peek(from, size); });
      if (!answered || !connection_->shared->done) {
        request.status = memory::ReadStatus::failed;
        break;
      }
      std::memcpy(part.data(), connection_->shared->bytes.data(), part.size());
    }
  }
}

base::Result<bool> LibvirtDomain::running() {
  if (!connection_->run([](Connection::Shared& shared) { shared.ask_state(); }))
    return base::fail(silent(daemon_));
  if (!connection_->shared->done) return base::fail(refused(daemon_, connection_->shared->error));
  return connection_->shared->running;
}

base::Result<void> LibvirtDomain::core_dump(const std::string& path,
                                            std::chrono::milliseconds limit) {
  if (!connection_->run([path](Connection::Shared& shared) { shared.dump(path); }, limit))
    return base::fail(silent(daemon_));
  if (!connection_->shared->done) return base::fail(refused(daemon_, connection_->shared->error));
  return {};
}

}  // namespace vitrine::vmm
