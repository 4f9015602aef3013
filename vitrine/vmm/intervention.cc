#include "vitrine/vmm/intervention.h"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <utility>

namespace vitrine::vmm {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

// How a noted undo begins; its argument follows. Pointers mean the same in the guardian, which is a
// copy of this process.
struct Intervention::Noted {
  Intervention* intervention = nullptr;
  Undo undo = nullptr;
};

Change::Change(Change&& other) noexcept
    : guardian_(std::exchange(other.guardian_, nullptr)), noted_(other.noted_) {}

Change& Change::operator=(Change&& other) noexcept {
  std::swap(guardian_, other.guardian_);
  std::swap(noted_, other.noted_);
  return *this;
}

Change::~Change() {
  // Where this fails the step stays noted, and the guardian is the one to finish it.
  (void)undo();
}

base::Result<void> Change::undo() {
  if (guardian_ == nullptr) return {};
  return std::exchange(guardian_, nullptr)->run(noted_, kPatience);
}

Intervention::Intervention(Qmp qmp) : qmp_(std::move(qmp)), owner_(::getpid()) {}

base::Result<std::unique_ptr<Intervention>> Intervention::begin(const Machine& machine,
                                                                const QmpLimits& limits) {
  auto qmp = open_qmp(machine, limits);
  if (!qmp) return base::fail(qmp.error());
  return begin(std::move(*qmp));
}

base::Result<std::unique_ptr<Intervention>> Intervention::begin(Qmp qmp) {
  std::unique_ptr<Intervention> intervention(new Intervention(std::move(qmp)));
  const std::array<int, 1> kept{intervention->qmp_.socket()};
  auto guardian = host::Guardian::start(kept);
  if (!guardian) return base::fail(guardian.error());
  intervention->guardian_ = std::move(*guardian);
  return intervention;
}

base::Result<Change> Intervention::note(Undo undo, std::string_view argument) {
  const Noted noted{this, undo};
  std::string text(sizeof noted, '\0');
  std::memcpy(text.data(), &noted, sizeof noted);
  text += argument;
  auto entry = guardian_->note(&Intervention::step, text);
  if (!entry) return base::fail(entry.error());
  return Change(*guardian_, *entry);
}

bool Intervention::step(std::string_view argument) {
  Noted noted;
  std::memcpy(&noted, argument.data(), sizeof noted);
  // Nothing can be undone in a VMM that is gone; nothing is left to undo either.
  if (auto usable = noted.intervention->take_over(); !usable)
    return usable.error().code == base::Code::gone;
  return noted.undo(noted.intervention->qmp_, argument.substr(sizeof noted));
}

// Makes the connection usable: whoever used it before may have been killed within a command, or a
// command of this process may have failed half-way.
base::Result<void> Intervention::take_over() {
  if (owner_ == ::getpid() && !qmp_.broken()) return {};
  if (auto done = qmp_.resynchronize(); !done) return done;
  owner_ = ::getpid();
  return {};
}

}  // namespace vitrine::vmm
