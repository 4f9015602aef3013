// What is wrong with a document in Volatility's Intermediate Symbol Format: what its schema (6.2.0)
// demands, and that whatever is named is there.
//
// Thread contract: pure functions.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "vitrine/base/json.h"

namespace vitrine::images::testing {

class IsfFaults {
 public:
  static std::vector<std::string> of(const base::Json& isf) {
    IsfFaults check(isf);
    check.document();
    return std::move(check.faults_);
  }

 private:
  using Json = base::Json;
  using Keys = std::set<std::string>;

  explicit IsfFaults(const Json& isf) : isf_(isf) {}

  void expect(bool right, const std::string& what) {
    if (!right && faults_.size() < 20) faults_.push_back(what);
  }

  static Keys keys(const Json& object) {
    Keys found;
    for (const auto& [key, value] : object.items()) found.insert(key);
    return found;
  }

  void document() {
    const Keys wanted{"metadata", "base_types", "user_types", "enums", "symbols"};
    if (!isf_.is_object() || keys(isf_) != wanted) return expect(false, "keys of the document");
    const Json& metadata = isf_.at("metadata");
    expect(keys(metadata) == Keys{"format", "linux", "producer"}, "keys of metadata");
    expect(metadata.at("format") == "6.2.0", "format");
    expect(keys(metadata.at("linux")) == Keys{"symbols", "types"}, "keys of linux");
    expect(isf_.at("base_types").contains("pointer"), "no base type pointer");
    for (const auto& [name, type] : isf_.at("base_types").items()) base_type(name, type);
    for (const auto& [name, type] : isf_.at("user_types").items()) user_type(name, type);
    for (const auto& [name, type] : isf_.at("enums").items()) enumeration(name, type);
    for (const auto& [name, one] : isf_.at("symbols").items()) {
      expect(one.at("address").is_number_unsigned(), name + " has no address");
      reference(name, one.at("type"));
    }
  }

  void base_type(const std::string& name, const Json& type) {
    expect(keys(type) == Keys{"size", "signed", "kind", "endian"}, "keys of " + name);
    const Keys kinds{"void", "int", "float", "char", "bool"};
    expect(kinds.contains(type.at("kind").get<std::string>()), "kind of " + name);
    expect(type.at("signed").is_boolean() && type.at("endian") == "little", name);
  }

  void user_type(const std::string& name, const Json& type) {
    expect(keys(type) == Keys{"kind", "size", "fields"}, "keys of " + name);
    expect(type.at("kind") == "struct" || type.at("kind") == "union", "kind of " + name);
    for (const auto& [field, told] : type.at("fields").items()) {
      const std::string path = name + "." + field;
      Keys of_field = keys(told);
      of_field.erase("anonymous");
      expect(of_field == Keys{"offset", "type"}, "keys of " + path);
      expect(told.at("offset").is_number_unsigned(), "offset of " + path);
      reference(path, told.at("type"));
    }
  }

  void enumeration(const std::string& name, const Json& type) {
    expect(keys(type) == Keys{"size", "base", "constants"}, "keys of enum " + name);
    expect(isf_.at("base_types").contains(type.at("base").get<std::string>()), "base of " + name);
    for (const auto& [constant, value] : type.at("constants").items())
      expect(value.is_number_integer(), name + " " + constant);
  }

  // How a type is referred to: whatever it names has to be there, and to be of that kind.
  void reference(const std::string& where, const Json& type) {
    const std::string kind = type.at("kind");
    if (kind == "pointer" || kind == "array") return reference(where, type.at("subtype"));
    if (kind == "function") return;
    if (kind == "bitfield") {
      const Json& of = type.at("type");
      expect(of.at("kind") == "base" || of.at("kind") == "enum", "bit field " + where);
      expect(type.at("bit_length") > 0 && type.at("bit_position") >= 0, "bit field " + where);
      return reference(where, of);
    }
    const std::string name = type.at("name");
    const char* const home = kind == "base"   ? "base_types"
                             : kind == "enum" ? "enums"
                                              : "user_types";
    const bool there = isf_.at(home).contains(name);
    expect(there, where + " names " + kind + " " + name + ", which is not there");
    if (there && (kind == "struct" || kind == "union"))
      expect(isf_.at("user_types").at(name).at("kind") == kind,
             where + " takes " + name + " for a " + kind);
  }

  const Json& isf_;
  std::vector<std::string> faults_;
};

// Keys that stand twice in one object of the text, which a parser would hide. For small texts: the
// time that it takes grows with the square of an object's members.
inline std::vector<std::string> repeated_keys(std::string_view text) {
  std::vector<std::string> repeated;
  std::vector<std::set<std::string>> open;
  const base::Json::parser_callback_t look = [&](int, base::Json::parse_event_t event,
                                                 base::Json& parsed) {
    if (event == base::Json::parse_event_t::object_start) open.emplace_back();
    if (event == base::Json::parse_event_t::object_end) open.pop_back();
    if (event == base::Json::parse_event_t::key &&
        !open.back().insert(parsed.get<std::string>()).second)
      repeated.push_back(parsed.get<std::string>());
    return true;
  };
  if (base::Json::parse(text, look, /*allow_exceptions=*/false).is_discarded())
    repeated.emplace_back("the text is no JSON");
  return repeated;
}

}  // namespace vitrine::images::testing
