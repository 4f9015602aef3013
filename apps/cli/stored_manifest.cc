#include "apps/cli/stored_manifest.h"

#include <algorithm>
#include <fstream>

#include "apps/cli/escape.h"
#include "apps/cli/image_files.h"
#include "vitrine/base/json.h"

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
  return from_json(found->get<std::string>());
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

base::Result<std::string> read_text(const std::filesystem::path& image) {
  const std::filesystem::path path = manifest_path(image);
  std::error_code failed;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, failed)) file.open(path, std::ios::binary);
  if (!file.is_open())
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
  const Json skip = object.value("skip", Json::array());
  for (const Json& one : skip)
    if (one.is_string()) manifest.skip.push_back(one.get<std::string>());
  const Json pages = object.value("pages", Json::object());
  manifest.unreadable = pages.is_object() && pages.value("unreadable", Json(0)) != 0;
  manifest.one_instant =
      text_of(object.value("consistency", Json()), "atomic") == std::string("proved");
  if (const Json bytes = image.value("bytes", Json()); bytes.is_number_unsigned())
    manifest.bytes = bytes.get<std::uint64_t>();
  const Json since = object.value("since", Json());
  if (since.is_null()) return manifest;
  const auto file = text_of(since, "file");
  if (!file || file->empty()) return malformed;
  manifest.predecessor = *file;
  return manifest;
}

base::Result<StoredManifest> read_manifest(const std::filesystem::path& path) {
  const auto text = read_text(path);
  if (!text) return fail(text.error());
  auto manifest = parse_manifest(*text);
  if (manifest) return manifest;
  return fail(manifest.error().code, manifest_path(path).string() + " " + manifest.error().message);
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
    chain.skip.insert(chain.skip.end(), manifest->skip.begin(), manifest->skip.end());
    chain.unreadable = chain.unreadable || manifest->unreadable;
    if (!manifest->predecessor) break;
    image = image.parent_path() / *manifest->predecessor;
  }
  std::ranges::reverse(chain.links);
  std::ranges::sort(chain.skip);
  chain.skip.erase(std::unique(chain.skip.begin(), chain.skip.end()), chain.skip.end());
  return chain;
}

base::Result<void> spares_chain(const std::filesystem::path& output,
                                std::span<const images::ChainLink> links) {
  std::error_code ignored;
  for (const images::ChainLink& link : links)
    if (std::filesystem::equivalent(output, link.file, ignored) ||
        std::filesystem::equivalent(manifest_path(output), manifest_path(link.file), ignored))
      return fail(Code::invalid, output.string() + " is one of the images it would build on",
                  "name another file");
  return {};
}

}  // namespace vitrine::cli
