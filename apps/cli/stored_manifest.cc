#include "apps/cli/stored_manifest.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "apps/cli/image_files.h"

namespace vitrine::cli {
namespace {

using base::Code;
using base::fail;
using Json = nlohmann::ordered_json;

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostImages = 1000;

// The text of a member; nothing where it is no text.
std::optional<std::string> text_of(const Json& object, const char* member) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

base::Result<std::string> read_text(const std::filesystem::path& image) {
  const std::filesystem::path path = manifest_path(image);
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return fail(Code::absent, image.string() + " has no manifest beside it: " + path.string(),
                "name an image that vitrine snapshot took, and keep FILE.json with it");
  std::string text(kMostBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace

base::Result<StoredManifest> parse_manifest(std::string_view text) {
  StoredManifest manifest;
  const Json object = Json::parse(text, nullptr, false);
  const auto malformed = fail(Code::inconsistent, "is no manifest of an image");
  if (!object.is_object()) return malformed;
  const Json image = object.value("image", Json());
  const auto digest = text_of(image, "sha256");
  if (!digest || !is_digest(*digest)) return malformed;
  manifest.sha256 = *digest;
  const Json since = object.value("since", Json());
  if (since.is_null()) return manifest;
  const auto file = text_of(since, "file");
  if (!file || file->empty()) return malformed;
  manifest.predecessor = *file;
  return manifest;
}

base::Result<StoredChain> read_chain(const std::filesystem::path& path) {
  StoredChain chain;
  for (std::filesystem::path image = path;;) {
    auto text = read_text(image);
    if (!text) return fail(text.error());
    const auto manifest = parse_manifest(*text);
    if (!manifest)
      return fail(manifest.error().code,
                  manifest_path(image).string() + " " + manifest.error().message);
    if (chain.links.size() == kMostImages)
      return fail(Code::inconsistent, path.string() + " builds on more than a thousand images");
    chain.links.push_back({image, manifest->sha256});
    if (chain.links.size() == 1) chain.newest = std::move(*text);
    if (!manifest->predecessor) break;
    image = image.parent_path() / *manifest->predecessor;
  }
  std::ranges::reverse(chain.links);
  return chain;
}

}  // namespace vitrine::cli
