// Packets of GDB's Remote Serial Protocol (GDB manual, appendix "Remote Protocol", Overview):
// "$DATA#XX" with two hexadecimal digits of checksum, escapes and run-length encoding.
//
// Thread contract: one thread at a time per object. No effect on the guest.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vitrine/base/result.h"

namespace vitrine::vmm {

// The packet for `data`, whatever bytes it holds.
std::string gdb_packet(std::string_view data);

// Cuts a stream of bytes into packets, however they are split. What stands between packets
// (acknowledgements) and notifications ("%DATA#XX") are skipped.
class GdbFramer {
 public:
  // `limit`: bytes of a packet's data, decoded.
  explicit GdbFramer(std::size_t limit) : limit_(limit) {}

  void feed(std::string_view bytes);

  // The data of the next packet, escapes and repetitions undone, or nothing until more is fed.
  // Errors: `inconsistent` where a checksum is wrong or the stub asks for something again (neither
  // happens on a stream socket), `unsupported` where a packet is larger than the limit. After an
  // error the stream is of no more use.
  base::Result<std::optional<std::string>> next();

 private:
  base::Result<std::string> decode(std::string_view data) const;

  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;    // bytes of the buffer that are done with
  std::size_t scanned_ = 0;  // bytes from `begin_` on already looked at for the packet's end
};

// Bytes written as two hexadecimal digits each; false unless they are as many as `into` holds.
bool decode_hex(std::string_view digits, std::span<std::byte> into);

}  // namespace vitrine::vmm
