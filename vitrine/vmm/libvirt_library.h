// libvirt's client library, loaded when it is first needed: linking it would cost every start of
// the program more than ten milliseconds, and demand a package that most uses have no need of.
//
// Thread contract: as libvirt's, whose functions may be called from any thread. No effect on any
// VM.
#pragma once

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "vitrine/base/result.h"

namespace vitrine::vmm {

struct LibvirtLibrary {
  decltype(&virConnectOpen) connect_open = nullptr;
  decltype(&virConnectClose) connect_close = nullptr;
  decltype(&virDomainLookupByUUIDString) domain_by_uuid = nullptr;
  decltype(&virDomainLookupByName) domain_by_name = nullptr;
  decltype(&virDomainIsActive) domain_is_active = nullptr;
  decltype(&virDomainGetUUIDString) domain_uuid = nullptr;
  decltype(&virDomainGetName) domain_name = nullptr;
  decltype(&virDomainGetState) domain_state = nullptr;
  decltype(&virDomainMemoryPeek) memory_peek = nullptr;
  decltype(&virDomainCoreDumpWithFormat) core_dump = nullptr;
  decltype(&virDomainFree) domain_free = nullptr;
  decltype(&virGetLastErrorMessage) last_error = nullptr;

  // The library, for as long as the process lives. Error: `unsupported` where it is not installed.
  static base::Result<const LibvirtLibrary*> get();
};

}  // namespace vitrine::vmm
