// An evidence file whose parts are forged: the header is made to fit, since a wrong SHA-256 would
// end it at once.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "fuzz/fuzzer.h"
#include "vitrine/images/evidence.h"
#include "vitrine/images/sha256.h"

namespace {

using namespace vitrine;

// As the file's: the first two bytes of the input say how long the profile is, the third how many
// pieces there are.
std::vector<std::byte> whole_file(std::span<const std::uint8_t> input) {
  const std::uint64_t profile = input[0] | std::uint64_t{input[1]} << 8;
  const std::uint64_t pieces = input[2];
  const auto rest = std::as_bytes(input.subspan(3));
  std::vector<std::byte> file(72);
  std::memcpy(file.data(), images::kEvidenceMagic.data(), images::kEvidenceMagic.size());
  file[16] = std::byte{1};
  std::memcpy(&file[24], &profile, sizeof profile);
  std::memcpy(&file[32], &pieces, sizeof pieces);
  images::Sha256 hash;
  hash.update(rest);
  const std::string digits = hash.finish();
  for (std::size_t i = 0; i < 32; ++i)
    file[40 + i] = static_cast<std::byte>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
  file.insert(file.end(), rest.begin(), rest.end());
  return file;
}

}  // namespace

VITRINE_FUZZER(evidence) {
  if (size < 3) return 0;
  static const int file = memfd_create("evidence", 0);
  const auto content = whole_file({data, size});
  if (ftruncate(file, 0) != 0 || pwrite(file, content.data(), content.size(), 0) < 0) return 0;
  auto evidence = images::read_evidence(file);
  if (!evidence) return 0;
  if (evidence->bytes.size() > size) std::abort();
  memory::RecordedMemory memory(evidence->ram, std::move(evidence->bytes));
  const auto kernel = images::kernel_of(*evidence, memory);
  if (kernel) (void)kernel->types.member("task_struct", "pid");
  return 0;
}
