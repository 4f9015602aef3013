// How a list of processes is shown to people: marks on names, and the tree of parents and children.
// JSON has the same in fields of their own and never goes through here.
//
// Thread contract: pure functions.
#pragma once

#include <span>
#include <vector>

#include "vitrine/views/value.h"

namespace vitrine::cli {

// The columns a table shows unless the user chooses: what tells processes apart.
std::string default_process_columns(bool threads);

// Marks names as ps does: kernel threads in [brackets], zombies with <defunct>, tasks on their way
// out with <exiting>. REQUIRES: rows of the processes view, with all of `columns`.
void mark_names(std::span<const views::Column> columns, std::vector<views::Row>& rows);

// Puts each process below its parent and indents its name by depth. Rows whose parent is not among
// them begin a tree of their own; so does one of every ring of parents, which a damaged guest may
// show. Threads stand below their process.
void arrange_as_tree(std::span<const views::Column> columns, std::vector<views::Row>& rows);

}  // namespace vitrine::cli
