# Installs missing Debian packages. Needs report.sh.
# The machine's own apt set-up says where they come from.

packages_to_build=(
  ca-certificates cmake g++ ninja-build pkg-config
  libbpf-dev libcli11-dev libelf-dev libexpected-dev libfmt-dev libkdumpfile-dev libsqlite3-dev libssl-dev
  libvirt-dev nlohmann-json3-dev zlib1g-dev
)
# The page of a survey's report is built by npm, wherever that came from.
command -v npm >/dev/null || packages_to_build+=(npm)
packages_to_bench=(libbenchmark-dev)
packages_to_test=(crash gdb libgtest-dev libgmock-dev)
# What the test of the page looks at it with.
packages_for_pages=(chromium)
packages_to_check=(clang clang-format clang-tidy libclang-rt-14-dev lld llvm)
packages_for_guests=(busybox-static cpio debian-archive-keyring file gcc gcc-aarch64-linux-gnu kmod libc6-dev
  libc6-dev-arm64-cross make qemu-system-arm qemu-system-x86 xz-utils)
# What the live tests of a VM that libvirt runs need, with --full.
packages_for_libvirt=(libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu)
packages_for_debian_guests=(libarchive-tools mmdebstrap uidmap)

package_is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_packages NAME...: does nothing, and asks nobody, if all are there.
install_packages() {
  local package missing=() root_command=(env)
  command -v apt-get >/dev/null || die "these scripts need Debian 12 or a later Debian (no apt-get here)"
  for package; do
    package_is_installed "$package" || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "installing ${missing[*]} needs root: install sudo or run as root"
    sudo -v || die "sudo did not grant root, which installing ${missing[*]} needs"
    root_command=(sudo)
  fi
  step "Installing ${missing[*]}"
  quietly 300 "apt-get update" "${root_command[@]}" apt-get -o DPkg::Lock::Timeout=120 update -qq
  quietly 900 "apt-get install" "${root_command[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
    -o DPkg::Lock::Timeout=120 -qq -y --no-install-recommends install "${missing[@]}"
}
