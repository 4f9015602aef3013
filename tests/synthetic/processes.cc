#include "tests/synthetic/processes.h"

#include <algorithm>
#include <stdexcept>

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t list_poison_prev = 0xdead000000000122;  // include/linux/poison.h

std::string joined(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += argument + '\0';
  return text;
}

}  // namespace

Processes::Processes(Kernel& kernel) : kernel_(kernel) {
  ProcessObjects idle{kernel.symbol("init_task"),
                      kernel.symbol("init_signals"),
                      kernel.symbol("init_cred"),
                      {},
                      {},
                      {}};
  make_list(task_member(idle.task, "tasks"));
  Process process;
  process.comm = "swapper/0";
  process.kernel_thread = true;
  process.state = task_running;
  processes_[0] = idle;
  fill_cred(idle.cred, 0, 0);
  fill_signal(process, idle);
  fill_task(idle.task, process, 0, idle);
}

GuestVirtual Processes::task(int pid) const {
  if (const auto found = processes_.find(pid); found != processes_.end()) return found->second.task;
  for (const auto& [unused, process] : processes_)
    if (const auto thread = process.threads.find(pid); thread != process.threads.end())
      return thread->second;
  throw std::out_of_range("synthetic guest: no task " + std::to_string(pid));
}

GuestVirtual Processes::list_node(int pid) const { return task_member(task(pid), "tasks"); }

const ProcessObjects& Processes::add(const Process& process) {
  if (processes_.contains(process.pid))
    throw std::logic_error("synthetic guest: pid " + std::to_string(process.pid) + " is taken");
  const Types& types = kernel_.types();
  ProcessObjects objects;
  objects.task = kernel_.allocate(types.size("struct task_struct"));
  objects.signal = kernel_.allocate(types.size("struct signal_struct"));
  objects.cred = kernel_.allocate(types.size("struct cred"));
  return build(process, std::move(objects));
}

const ProcessObjects& Processes::build(const Process& process, ProcessObjects objects) {
  fill_cred(objects.cred, process.uid, process.gid);
  fill_signal(process, objects);
  const bool exited = process.exit_state != 0;
  if (process.has_mm.value_or(!process.kernel_thread && !exited)) add_mm(process, objects);
  for (const Thread& thread : process.threads)
    objects.threads[thread.pid] = kernel_.allocate(kernel_.types().size("struct task_struct"));
  fill_task(objects.task, process, process.pid, objects);
  append(list_node(0), task_member(objects.task, "tasks"));
  for (const Thread& thread : process.threads) {
    Process as_task = process;
    as_task.comm = thread.comm.empty() ? process.comm : thread.comm;
    as_task.state = thread.state;
    const GuestVirtual task = objects.threads.at(thread.pid);
    fill_task(task, as_task, thread.pid, objects);
    // A thread is not in the list of leaders; fork leaves it a copy of the leader's links.
    kernel_.set(task, "task_struct", "tasks.next",
                kernel_.value(objects.task, "task_struct", "tasks.next"));
    kernel_.set(task, "task_struct", "tasks.prev",
                kernel_.value(objects.task, "task_struct", "tasks.prev"));
  }
  ProcessObjects& kept = processes_[process.pid] = std::move(objects);
  if (kept.mm) map_arguments(process, *kept.mm);
  return kept;
}

void Processes::fill_task(GuestVirtual task, const Process& process, int pid,
                          const ProcessObjects& objects) {
  const auto put = [&](std::string_view member, std::uint64_t value) {
    kernel_.set(task, "task_struct", member, value);
  };
  put("pid", static_cast<std::uint64_t>(pid));
  put("tgid", static_cast<std::uint64_t>(process.pid));
  put("__state", process.state);
  put("exit_state", process.exit_state);
  put("flags", process.flags | (process.kernel_thread ? flag_kernel_thread : 0));
  put("usage.refs.counter", 1);
  const GuestVirtual parent = this->task(processes_.contains(process.parent) ? process.parent : 0);
  put("real_parent", parent.value);
  put("parent", parent.value);
  put("group_leader", objects.task.value);
  put("start_time", process.start_boottime);
  put("start_boottime", process.start_boottime);
  put("real_cred", objects.cred.value);
  put("cred", objects.cred.value);
  put("signal", objects.signal.value);
  put("mm", objects.mm.value_or(GuestVirtual(0)).value);
  put("active_mm", objects.mm.value_or(GuestVirtual(0)).value);
  write_comm(task, process.comm);
  make_list(task_member(task, "children"));
  make_list(task_member(task, "sibling"));
  append(kernel_.member(objects.signal, "signal_struct", "thread_head"),
         task_member(task, "thread_node"));
}

void Processes::fill_signal(const Process& process, const ProcessObjects& objects) {
  const std::uint64_t threads = process.threads.size() + 1;
  kernel_.set(objects.signal, "signal_struct", "nr_threads", threads);
  kernel_.set(objects.signal, "signal_struct", "live.counter", threads);
  kernel_.set(objects.signal, "signal_struct", "sigcnt.refs.counter", threads);
  make_list(kernel_.member(objects.signal, "signal_struct", "thread_head"));
}

void Processes::fill_cred(GuestVirtual cred, std::uint32_t uid, std::uint32_t gid) {
  // Effective and saved ids differ from the real ones, so that no test mistakes one for another.
  kernel_.set(cred, "cred", "usage.counter", 3);
  kernel_.set(cred, "cred", "uid.val", uid);
  kernel_.set(cred, "cred", "gid.val", gid);
  for (const char* other : {"suid.val", "euid.val"}) kernel_.set(cred, "cred", other, uid + 7);
  for (const char* other : {"sgid.val", "egid.val"}) kernel_.set(cred, "cred", other, gid + 7);
}

void Processes::add_mm(const Process& process, ProcessObjects& objects) {
  const GuestVirtual mm = kernel_.allocate(kernel_.types().size("struct mm_struct"));
  objects.mm = mm;
  objects.tables = std::make_shared<PageTables>(kernel_.make_process_tables());
  const auto put = [&](std::string_view member, std::uint64_t value) {
    kernel_.set(mm, "mm_struct", member, value);
  };
  put("pgd", kernel_.direct(objects.tables->root()).value);
  put("mm_users.counter", process.threads.size() + 1);
  put("mm_count.counter", 1);
  put("owner", objects.task.value);
  fill_rss(process, mm);
}

void Processes::fill_rss(const Process& process, GuestVirtual mm) {
  const GuestVirtual rss = kernel_.member(mm, "mm_struct", "rss_stat");
  for (std::size_t counter = 0; counter < process.rss_pages.size(); ++counter) {
    if (kernel_.options().rss == RssLayout::atomic_counters) {
      kernel_.put(rss + 8 * counter, process.rss_pages[counter]);
      continue;
    }
    const GuestVirtual at = rss + kernel_.types().size("struct percpu_counter") * counter;
    const GuestVirtual parts = kernel_.allocate_percpu(4);
    std::int64_t count = process.rss_pages[counter];
    for (std::uint32_t cpu = 0; cpu < process.rss_pending.size(); ++cpu) {
      kernel_.put(parts + kernel_.percpu_offset(cpu), process.rss_pending[cpu]);
      count -= process.rss_pending[cpu];
    }
    kernel_.set(at, "percpu_counter", "count", static_cast<std::uint64_t>(count));
    kernel_.set(at, "percpu_counter", "counters", parts.value);
  }
}

void Processes::map_arguments(const Process& process, GuestVirtual mm) {
  const std::string text = joined(process.arguments);
  const GuestVirtual start = process.arguments_at;
  const GuestVirtual end = start + text.size();
  kernel_.set(mm, "mm_struct", "arg_start", start.value);
  kernel_.set(mm, "mm_struct", "arg_end", end.value);
  kernel_.set(mm, "mm_struct", "env_start", end.value);
  kernel_.set(mm, "mm_struct", "env_end", (end + 64).value);
  if (!text.empty()) map_user(process.pid, start, text, process.arguments_are);
}

void Processes::map_user(int pid, GuestVirtual at, std::string_view bytes, Residence residence) {
  PageTables& tables = *of(pid).tables;
  for (std::size_t done = 0; done < bytes.size();) {
    const GuestVirtual to = at + done;
    const std::uint64_t inside = to.value % page_size;
    const std::size_t size = std::min<std::size_t>(bytes.size() - done, page_size - inside);
    auto [frame, is_new] = user_frames_.try_emplace({tables.root(), to.value / page_size});
    if (is_new) frame->second = kernel_.frames().take();
    kernel_.memory().write(frame->second + inside, bytes.substr(done, size));
    const GuestVirtual page = to - inside;
    switch (residence) {
      case Residence::hole:
        kernel_.memory().punch_hole({frame->second, page_size});
        [[fallthrough]];
      case Residence::present:
        tables.map(page, frame->second, 1, user_page | entry_no_execute);
        break;
      case Residence::swapped_out:
        tables.swap_out(page, 1, 0x1234 + done);
        break;
      case Residence::protection_none:
        tables.map_protection_none(page, frame->second);
        break;
      case Residence::not_mapped:
        tables.set_entry(page, 1, 0);
        break;
    }
    done += size;
  }
  kernel_.update_user_root(tables);
}

void Processes::unlink(int pid) {
  const GuestVirtual node = list_node(pid);
  const auto next = kernel_.get<std::uint64_t>(node);
  const auto previous = kernel_.get<std::uint64_t>(node + 8);
  kernel_.put(GuestVirtual(previous), next);
  kernel_.put(GuestVirtual(next) + 8, previous);
  kernel_.put(node + 8, list_poison_prev);
  processes_.erase(pid);
}

const ProcessObjects& Processes::reuse(int pid, const Process& with) {
  ProcessObjects objects = of(pid);
  unlink(pid);
  objects.mm.reset();
  objects.tables.reset();
  objects.threads.clear();
  return build(with, std::move(objects));
}

void Processes::set_next(int pid, GuestVirtual next) { kernel_.put(list_node(pid), next.value); }

void Processes::set_comm(int pid, std::string_view bytes) { write_comm(task(pid), bytes); }

void Processes::write_comm(GuestVirtual task, std::string_view bytes) {
  std::array<char, 16> comm{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), comm.size()), comm.begin());
  kernel_.write(task_member(task, "comm"), {comm.data(), comm.size()});
}

void Processes::make_list(GuestVirtual head) {
  kernel_.put(head, head.value);
  kernel_.put(head + 8, head.value);
}

void Processes::append(GuestVirtual head, GuestVirtual node) {
  const auto last = kernel_.get<std::uint64_t>(head + 8);
  kernel_.put(node, head.value);
  kernel_.put(node + 8, last);
  kernel_.put(GuestVirtual(last), node.value);
  kernel_.put(head + 8, node.value);
}

}  // namespace vitrine::synthetic
