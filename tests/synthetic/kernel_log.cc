#include "tests/synthetic/kernel_log.h"

namespace vitrine::synthetic {
namespace {

constexpr std::uint64_t id_mask = (std::uint64_t{1} << 62) - 1;
constexpr std::uint64_t failed_place = 1;
constexpr std::uint64_t empty_line_place = 3;

}  // namespace

// Ids and positions begin just before they wrap, as in the kernel.
KernelLog::KernelLog(Kernel& kernel, unsigned count_bits, unsigned size_bits)
    : kernel_(kernel),
      count_(std::uint64_t{1} << count_bits),
      size_(std::uint64_t{1} << size_bits),
      ring_(kernel.allocate(kernel.types().size("struct printk_ringbuffer"))),
      descriptors_(kernel.allocate(count_ * kernel.types().size("struct prb_desc"))),
      infos_(kernel.allocate(count_ * kernel.types().size("struct printk_info"))),
      data_(kernel.allocate(size_)),
      next_id_(id_mask + 1 - count_),
      position_(0 - size_) {
  kernel.put(kernel.symbol("prb"), ring_.value);
  kernel.set(ring_, "printk_ringbuffer", "desc_ring.count_bits", count_bits);
  kernel.set(ring_, "printk_ringbuffer", "desc_ring.descs", descriptors_.value);
  kernel.set(ring_, "printk_ringbuffer", "desc_ring.infos", infos_.value);
  kernel.set(ring_, "printk_ringbuffer", "text_data_ring.size_bits", size_bits);
  kernel.set(ring_, "printk_ringbuffer", "text_data_ring.data", data_.value);
  for (std::uint64_t i = 0; i < count_; ++i) set_state(next_id_ - count_ + i, LogState::reusable);
}

GuestVirtual KernelLog::descriptor(std::uint64_t id) const {
  return descriptors_ + (id % count_) * kernel_.types().size("struct prb_desc");
}

GuestVirtual KernelLog::info(std::uint64_t id) const {
  return infos_ + (id % count_) * kernel_.types().size("struct printk_info");
}

void KernelLog::set_state(std::uint64_t id, LogState state) {
  kernel_.set(descriptor(id), "prb_desc", "state_var.counter",
              static_cast<std::uint64_t>(state) << 62 | (id & id_mask));
}

void KernelLog::drop_oldest() {
  set_state(kept_.front().id, LogState::reusable);
  kept_.pop_front();
}

void KernelLog::put_info(std::uint64_t id, const LogRecord& record) {
  const GuestVirtual at = info(id);
  kernel_.set(at, "printk_info", "seq", seq_++);
  kernel_.set(at, "printk_info", "ts_nsec", record.time_ns);
  kernel_.set(at, "printk_info", "text_len", record.text.size());
  kernel_.set(at, "printk_info", "facility", record.facility);
  kernel_.set(at, "printk_info", "level", record.level);
  kernel_.set(at, "printk_info", "caller_id", record.caller);
  kernel_.write(kernel_.member(at, "printk_info", "dev_info.subsystem"), record.subsystem + '\0');
  kernel_.write(kernel_.member(at, "printk_info", "dev_info.device"), record.device + '\0');
}

void KernelLog::put_place(std::uint64_t id, std::uint64_t begin, std::uint64_t next) {
  kernel_.set(descriptor(id), "prb_desc", "text_blk_lpos.begin", begin);
  kernel_.set(descriptor(id), "prb_desc", "text_blk_lpos.next", next);
}

void KernelLog::put_text(std::uint64_t id, const std::string& text) {
  const std::uint64_t block = (8 + text.size() + 7) / 8 * 8;
  const std::uint64_t begin = position_;
  std::uint64_t next = begin + block;
  std::uint64_t at = begin % size_;
  if (begin / size_ != next / size_) {
    at = 0;
    next = next / size_ * size_ + block;
  }
  while (!kept_.empty() && next - kept_.front().begin > size_) drop_oldest();
  kernel_.put(data_ + at, id & id_mask);
  kernel_.write(data_ + at + 8, text);
  put_place(id, begin, next);
  position_ = next;
}

void KernelLog::publish(std::uint64_t id, LogState state) {
  set_state(id, state);
  const std::uint64_t tail = kept_.empty() ? id : kept_.front().id;
  kernel_.set(ring_, "printk_ringbuffer", "desc_ring.head_id.counter", id & id_mask);
  kernel_.set(ring_, "printk_ringbuffer", "desc_ring.tail_id.counter", tail & id_mask);
}

void KernelLog::add(const LogRecord& record, LogState state) {
  if (kept_.size() == count_) drop_oldest();
  const std::uint64_t id = next_id_++;
  const std::uint64_t begin = position_;
  put_info(id, record);
  if (record.text.empty())
    put_place(id, empty_line_place, empty_line_place);
  else
    put_text(id, record.text);
  kept_.push_back({id, begin});
  publish(id, state);
}

void KernelLog::add_lost(const LogRecord& record) {
  if (kept_.size() == count_) drop_oldest();
  const std::uint64_t id = next_id_++;
  put_info(id, record);
  put_place(id, failed_place, failed_place);
  kept_.push_back({id, position_});
  publish(id, LogState::finalized);
}

}  // namespace vitrine::synthetic
