// Collects a view until all of it is known to have held at one instant, and, where that is asked
// for, with no writer in the midst of what it read. The guest runs on meanwhile.
//
// The argument. A collection reads value v[i] at time t[i]; all that it read, page-table entries
// and reads that failed included, is then read again, at times u[j]. Every t[i] is before every
// u[j]. If no value differs, and none changed and changed back, then each v[i] held from t[i] to
// u[i], and these spans have in common the time T from the last t to the first u: at T the guest's
// memory was what the view saw. The second collection need not decode anything: what a view reads,
// and where, follows from what it read before (views/view.h), so that with equal values it would
// have read the very same.
//
// Locks are read in that time T, each once: whoever is in a critical section holds its lock. If
// lock k is free at time T[k], nobody is half-way through a change that it guards, and what the
// view saw is what the memory was at T[k], too: no change that any of them guards is seen half
// done. That the locks are free, and the sequence counts the same, before the first and after the
// second collection as well adds to it: no writer came and went unseen by a sequence count.
//
// What the argument needs: loads in program order (x86-64 hosts and guests), and that the direct
// map and the kernel image stand where they stood when attaching verified them. Values that are
// declared as statistics are left out. docs/consistency.md has the limits.
//
// Thread contract: one thread at a time. Effect on the guest: that of the readers.
// Cost: on a quiet guest, one recorded collection and one comparison, together about twice a plain
// collection; a load per lock. Bounded by the demand's tries and time.
#pragma once

#include "vitrine/consistency/guards.h"
#include "vitrine/consistency/verdict.h"
#include "vitrine/memory/reader.h"
#include "vitrine/views/view.h"

namespace vitrine::consistency {

struct Collection {
  views::Outcome outcome;
  memory::Cost cost;  // of all collections
  Verdict verdict;
};

class Collector {
 public:
  // `kernel` and `data` outlive this object; `unused` reads the same memory as `data`, and has read
  // nothing yet. `data` keeps recordings for this object while it collects.
  Collector(const kernel::Kernel& kernel, memory::Reader& data, const memory::Reader& unused);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Collects until the demand is met or may try no longer: the rows and the verdict are those of
  // the last try.
  Collection collect(views::View& view, const Demand& demand);

  // Whether a writer holds what guards the view's last collection, of memory that stands still.
  void look_at_locks(const views::View& view, Verdict& verdict);

  // What the last collection read.
  const memory::Recording& recording() const { return data_.recording; }

 private:
  // One of the three things that are read: by a reader of its own, since what one reads in a single
  // call is not to be what another has asked for.
  struct Read {
    Read(const kernel::Kernel& kernel, memory::Reader& from)
        : physical(from), reader(kernel.space, from) {}
    memory::Recording recording;
    memory::Reader& physical;
    views::Reader reader;
  };

  bool try_once(views::View& view, const Demand& demand, Collection& result);
  bool locks_free(const views::View& view);
  bool still(Read& what, Collection& result);

  memory::Reader first_locks_reader_;
  memory::Reader locks_reader_;
  Read data_;
  Read first_locks_;  // the global ones, before anything else is read
  Read locks_;        // all, between the two collections
  Guards guards_;
};

}  // namespace vitrine::consistency
