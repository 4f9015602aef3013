// The screen of `top`: which processes are shown, in which order, and what keys do to that.
//
// Thread contract: one thread at a time per object; nothing is printed here. Texts of the guest are
// harmless in what it makes.
#pragma once

#include <string>

#include "apps/cli/keyboard.h"
#include "apps/cli/terminal.h"
#include "apps/cli/top_sample.h"

namespace vitrine::cli {

class TopScreen {
 public:
  enum class Order : std::uint8_t { share, memory, time, pid };
  enum class Effect : std::uint8_t { none, redraw, collect_anew, quit };

  // What the key changes; `collect_anew` where other rows are wanted than there are.
  Effect press(const Key& key);

  // Whether each thread is to have a row of its own.
  bool threads() const { return threads_; }

  // The lines of the screen, each within the terminal's width, all within its height; everything,
  // without colours, where it has neither.
  std::string render(const TopSample& sample, const Terminal& terminal);

 private:
  Effect type(const Key& key);
  Effect command(char key);
  Effect scroll(const Key& key);
  Effect order_by(Order order);

  std::vector<std::string> header(const TopSample& sample) const;
  bool passes(const TopProcess& process) const;
  std::vector<views::Row> arranged(const TopSample& sample) const;

  Order order_ = Order::share;
  bool tree_ = false;
  bool threads_ = false;
  bool help_ = false;
  bool typing_ = false;  // the filter
  std::string filter_;
  std::string former_filter_;
  std::size_t first_ = 0;  // row shown at the top
  std::size_t page_ = 10;  // rows that fit
};

}  // namespace vitrine::cli
