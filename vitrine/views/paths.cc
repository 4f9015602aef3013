#include "vitrine/views/paths.h"

namespace vitrine::views {

Paths Paths::attach(Resolver& at) {
  Paths paths;
  paths.parent_ = at("dentry", "d_parent");
  paths.name_length_ = at("dentry", {"d_name.len", "__d_name.len"});
  paths.name_text_ = at("dentry", {"d_name.name", "__d_name.name"});
  paths.hash_links_ = at("dentry", "d_hash.pprev");
  paths.root_ = at("vfsmount", "mnt_root");
  paths.mount_ = at("mount", "mnt");
  paths.mount_parent_ = at("mount", "mnt_parent");
  paths.mountpoint_ = at("mount", "mnt_mountpoint");
  return paths;
}

bool Paths::join(const std::vector<std::string>& parts, const std::string& above,
                 std::string& text) {
  text = above;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    (text += '/') += *part;
    if (text.size() > kLongest) return false;
  }
  if (text.empty()) text = "/";
  return text_.spend(text.size());
}

bool Paths::name(Reader& reader, base::GuestVirtual entry, std::string& text) const {
  std::uint32_t length = 0;
  base::GuestVirtual at;
  if (!reader.load(entry + name_length_, length) || !reader.load(entry + name_text_, at.value))
    return false;
  text.resize(std::min<std::size_t>(length, kMaxName));
  return reader.load_bytes(at, std::as_writable_bytes(std::span(text)));
}

bool Paths::deleted(Reader& reader, base::GuestVirtual entry, bool& is) const {
  std::uint64_t link = 0;
  base::GuestVirtual parent;
  if (!reader.load(entry + hash_links_, link) || !reader.load(entry + parent_, parent.value))
    return false;
  is = link == 0 && parent != entry;  // d_unlinked()
  return true;
}

// From the root of a mount to the directory that it is mounted on, as often as need be.
PathEnd Paths::step(Reader& reader, FilePlace place, Step& step) {
  for (std::size_t mounts = 0; mounts < kMaxParts; ++mounts) {
    if (!steps_.spend(1)) return PathEnd::astray;
    base::GuestVirtual root;
    if (!reader.load(place.mount + root_, root.value)) return PathEnd::unreadable;
    if (place.entry != root) {
      base::GuestVirtual parent;
      if (!reader.load(place.entry + parent_, parent.value)) return PathEnd::unreadable;
      step.is_root = parent == place.entry;
      step.directory = {place.mount, parent};
      if (!name(reader, place.entry, step.name)) return PathEnd::unreadable;
      if (step.is_root && step.name == "/") step.name.clear();
      return PathEnd::whole;
    }
    const base::GuestVirtual mount(place.mount.value - mount_);
    base::GuestVirtual above;
    if (!reader.load(mount + mount_parent_, above.value)) return PathEnd::unreadable;
    if (above == mount) {
      step.is_root = true;
      return PathEnd::whole;
    }
    place.mount = above + mount_;
    if (!reader.load(mount + mountpoint_, place.entry.value)) return PathEnd::unreadable;
  }
  return PathEnd::astray;
}

PathEnd Paths::inner_path(Reader& reader, base::GuestVirtual entry, std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t steps = 0; steps < kMaxParts && steps_.spend(1); ++steps) {
    base::GuestVirtual parent;
    std::string part;
    if (!reader.load(entry + parent_, parent.value)) return PathEnd::unreadable;
    if (parent == entry) return join(parts, {}, text) ? PathEnd::whole : PathEnd::astray;
    if (!name(reader, entry, part)) return PathEnd::unreadable;
    parts.push_back(std::move(part));
    entry = parent;
  }
  return PathEnd::astray;
}

PathEnd Paths::path(Reader& reader, const FilePlace& place, std::string& text) {
  std::vector<std::string> parts;  // the innermost first
  FilePlace at = place;
  FilePlace directory;
  std::string above;
  for (std::size_t steps = 0;; ++steps) {
    if (const auto known = known_.find(at); known != known_.end()) {
      above = known->second;
      break;
    }
    Step next;
    if (steps >= kMaxParts) return PathEnd::astray;
    if (const PathEnd end = step(reader, at, next); end != PathEnd::whole) return end;
    if (!next.name.empty()) parts.push_back(std::move(next.name));
    if (next.is_root) break;
    at = next.directory;
    if (steps == 0) directory = at;
  }
  if (!join(parts, above, text)) return PathEnd::astray;
  // Others are likely to be in the same directory.
  if (directory != FilePlace() && !parts.empty() && known_.size() < kMaxKnown) {
    std::string remembered = text.substr(0, text.size() - parts.front().size() - 1);
    if (text_.spend(remembered.size())) known_.emplace(directory, std::move(remembered));
  }
  return PathEnd::whole;
}

}  // namespace vitrine::views
