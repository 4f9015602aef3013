#include "tests/live/balloon.h"

#include <stdexcept>
#include <thread>

#include "tests/live/qmp_client.h"

namespace vitrine::live {

void inflate_balloon(Guest& guest, std::uint64_t kept) {
  guest.run("for module in /modules/*virtio*.ko; do insmod $module; done");
  QmpClient qmp(guest.qmp());
  qmp.execute("balloon", {{"value", kept}});
  for (int i = 0; i < 300; ++i) {
    if (qmp.execute("query-balloon").at("actual") == kept) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw std::runtime_error("the guest did not give its memory back");
}

}  // namespace vitrine::live
