#include "vitrine/session/image_attach.h"

#include <utility>

#include "vitrine/images/evidence.h"
#include "vitrine/kernel/locate.h"
#include "vitrine/session/kernel_cache.h"
#include "vitrine/techniques/saved_registers.h"

namespace vitrine::session {
namespace {

using base::Code;
using base::fail;

constexpr techniques::Description description_of(bool one_instant) {
  return {.id = "image",
          .technique_class = "memory image",
          .cooperation = "none",
          .snapshot = "point-in-time copy",
          .liveness = "no guest",
          .access = "file",
          .effect = techniques::Effect::passive,
          .demands = "a memory image",
          .one_instant = one_instant};
}

constexpr techniques::Description kOfOneInstant = description_of(true);
constexpr techniques::Description kOfSomeTime = description_of(false);

class ImageAccess final : public techniques::Access, public techniques::SavedRegisters {
 public:
  explicit ImageAccess(std::shared_ptr<images::ImageFile> image) : image_(std::move(image)) {}

  memory::PhysicalMemory& memory() override { return *image_->memory; }

  base::Result<std::vector<memory::X86GeneralRegisters>> saved_registers() override {
    if (image_->processors.empty())
      return fail(Code::absent, "the image holds no registers",
                  "an ELF or kdump image that vitrine snapshot or QEMU takes has them");
    return image_->processors;
  }

 private:
  std::shared_ptr<images::ImageFile> image_;
};

base::Result<void> check(const Options& options) {
  const auto wrong = [](const char* what) {
    return fail(Code::invalid, std::string(what) + " is of VMs, and this is a memory image",
                "leave it out: an image is read as it is");
  };
  if (options.technique != "auto") return wrong("--technique");
  if (options.pause != Pausing::none) return wrong("--pause");
  if (options.allow_persistent_change) return wrong("--allow-persistent-change");
  return {};
}

// The error of locate() in an image, where no waiting helps.
base::Error not_found(const images::ImageFile& image, base::Error error) {
  error = base::about(image.file.string(), std::move(error));
  if (error.code != Code::absent) return error;
  if (image.kind == images::ImageKind::raw) {
    error.message = image.file.string() +
                    " has no known format of memory images, and taken as bare memory it holds no "
                    "Linux kernel";
    error.remedy =
        "known are raw, ELF core, kdump, LiME, and QEMU's and libvirt's saved VMs; a raw image may "
        "also be truncated";
  } else {
    error.remedy =
        "vitrine reads Linux 6.0 or newer on x86-64; the image may be of a guest that had not "
        "booted, or lack pages";
  }
  return error;
}

base::Result<kernel::Kernel> find_kernel(const images::ImageFile& image, const Options& options) {
  if (image.evidence != nullptr) return images::kernel_of(*image.evidence, *image.memory);
  kernel::LocateOptions locate;
  locate.registers = image.registers;
  locate.processors = image.processors;
  locate.told = image.vmcoreinfo;
  locate.lives = false;
  if (options.use_cache) locate.recall = load_kernel;
  return kernel::locate(*image.memory, locate);
}

}  // namespace

base::Result<Attachment> attach_image(const ImageSource& source, const Options& options) {
  if (auto allowed = check(options); !allowed) return fail(allowed.error());
  auto opened = images::open_image(source.file, source.chain);
  if (!opened) return fail(opened.error());
  auto image = std::make_shared<images::ImageFile>(std::move(*opened));
  image->one_instant = image->one_instant || source.one_instant;
  auto kernel = find_kernel(*image, options);
  if (!kernel) return fail(not_found(*image, kernel.error()));
  Attachment attachment{.layout = {},
                        .description = image->one_instant ? &kOfOneInstant : &kOfSomeTime,
                        .access = std::make_unique<ImageAccess>(image),
                        .kernel = std::move(*kernel),
                        .image = image};
  if (image->evidence == nullptr)
    attachment.warnings = missing_ram(attachment.kernel, *image->memory, "image");
  return attachment;
}

}  // namespace vitrine::session
