#include "vitrine/session/kernel_cache.h"

#include <algorithm>

#include "vitrine/base/json.h"
#include "vitrine/session/cache_folder.h"

namespace vitrine::session {
namespace {

using base::Json;

constexpr int kKernelFormat = 1;
constexpr std::size_t kMaxKernelFile = 1u << 20;
constexpr std::size_t kMaxAnswers = 10'000;
constexpr std::size_t kMaxKernels = 64;
constexpr std::string_view kKernelPrefix = "kernel-";

// Build ids come from guests: nothing but hex digits makes a file name.
bool names_a_file(std::string_view build_id) {
  return !build_id.empty() && build_id.size() <= 64 && std::ranges::all_of(build_id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

std::string file_name(std::string_view build_id) {
  return std::string(kKernelPrefix) + std::string(build_id) + ".json";
}

}  // namespace

std::optional<kernel::Recollection> load_kernel(std::string_view build_id) {
  if (!names_a_file(build_id)) return std::nullopt;
  const auto text = read_cached(file_name(build_id), kMaxKernelFile);
  return text ? parse_recollection(*text) : std::nullopt;
}

void store_kernel(const kernel::Recollection& kept) {
  if (!names_a_file(kept.build_id) || kept.answers.size() > kMaxAnswers) return;
  write_cached(file_name(kept.build_id), recollection_text(kept));
  trim_cached(kKernelPrefix, kMaxKernels);
}

std::optional<kernel::Recollection> parse_recollection(std::string_view text) {
  const Json parsed = base::parse_json(text);
  if (!parsed.is_object() || parsed.value("format", Json()) != kKernelFormat) return std::nullopt;
  // Whatever is missing or of another type throws, and means that nothing was kept.
  try {
    kernel::Recollection kept;
    kept.release = parsed.at("release").get<std::string>();
    kept.build_id = parsed.at("build_id").get<std::string>();
    for (const Json& sample : parsed.at("samples"))
      kept.samples.push_back({base::whole_number(sample.at(0)), base::whole_number(sample.at(1))});
    const Json& answers = parsed.at("answers");
    if (answers.size() > kMaxAnswers) return std::nullopt;
    kept.answers = answers.get<std::map<std::string, std::string>>();
    return kept;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

std::string recollection_text(const kernel::Recollection& kept) {
  Json samples = Json::array();
  for (const auto& sample : kept.samples) samples.push_back({sample.offset, sample.hash});
  const Json entry{{"format", kKernelFormat},
                   {"release", kept.release},
                   {"build_id", kept.build_id},
                   {"samples", samples},
                   {"answers", kept.answers}};
  return base::json_text(entry);
}

}  // namespace vitrine::session
