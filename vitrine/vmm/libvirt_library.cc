#include "vitrine/vmm/libvirt_library.h"

#include <dlfcn.h>

namespace vitrine::vmm {
namespace {

template <class Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
  return function != nullptr;
}

base::Result<LibvirtLibrary> load() {
  constexpr const char* kRemedy = "install the package libvirt0";
  void* const file = ::dlopen("libvirt.so.0", RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr)
    return base::fail(base::Code::unsupported, "libvirt's client library is not installed",
                      kRemedy);
  LibvirtLibrary library;
  decltype(&virInitialize) initialize = nullptr;
  decltype(&virSetErrorFunc) set_error_function = nullptr;
  const bool complete = find(file, "virInitialize", initialize) &&
                        find(file, "virSetErrorFunc", set_error_function) &&
                        find(file, "virConnectOpen", library.connect_open) &&
                        find(file, "virConnectClose", library.connect_close) &&
                        find(file, "virDomainLookupByUUIDString", library.domain_by_uuid) &&
                        find(file, "virDomainLookupByName", library.domain_by_name) &&
                        find(file, "virDomainIsActive", library.domain_is_active) &&
                        find(file, "virDomainGetUUIDString", library.domain_uuid) &&
                        find(file, "virDomainGetName", library.domain_name) &&
                        find(file, "virDomainGetState", library.domain_state) &&
                        find(file, "virDomainMemoryPeek", library.memory_peek) &&
                        find(file, "virDomainCoreDumpWithFormat", library.core_dump) &&
                        find(file, "virDomainFree", library.domain_free) &&
                        find(file, "virGetLastErrorMessage", library.last_error);
  if (!complete || initialize() != 0)
    return base::fail(base::Code::unsupported, "libvirt's client library is not usable", kRemedy);
  // It would print each error otherwise.
  set_error_function(nullptr, [](void*, virErrorPtr) {});
  return library;
}

}  // namespace

base::Result<const LibvirtLibrary*> LibvirtLibrary::get() {
  static const base::Result<LibvirtLibrary> library = load();
  if (!library) return base::fail(library.error());
  return &*library;
}

}  // namespace vitrine::vmm
