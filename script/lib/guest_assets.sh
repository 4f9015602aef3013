# Kernels and the initramfs of the test guests, under build/guests. A kernel is fetched only if it
# is absent, the initramfs made only if it is absent or its sources changed; both appear whole or
# not at all. Needs report.sh and debian.sh; runs in the repository's root.

guest_assets=$PWD/build/guests
private_apts=$guest_assets/tmp.apt

# fetch_kernel NAME SUITE ARCHITECTURE GLOB MODULES: makes vmlinuz-NAME and modules-NAME.cpio.gz.
fetch_kernel() {
  local name=$1 suite=$2 architecture=$3 pattern=$4 modules=$5 work image
  if [ -e "$guest_assets/vmlinuz-$name" ] &&
    [ "$(cat "$guest_assets/modules-$name.stamp" 2>/dev/null)" = "$modules" ]; then
    return 0
  fi
  step "Fetching guest kernel $name"
  work=$(mktemp -d "$guest_assets/tmp.XXXXXX")
  if fetch_package "$suite" "$architecture" "$pattern" "$work"; then
    image=$(find "$work/root" -name 'vmlinuz*' -type f -print -quit)
    if [ -n "$image" ] && pack_modules "$work" "$modules" "$work/modules.cpio.gz"; then
      mv "$work/modules.cpio.gz" "$guest_assets/modules-$name.cpio.gz"
      mv "$image" "$guest_assets/vmlinuz-$name"
      echo "$modules" >"$guest_assets/modules-$name.stamp"
      rm -rf "$work"
      return 0
    fi
    note "the package holds no kernel image, or not the modules $modules"
  fi
  rm -rf "$work"
  return 1
}

# fetch_symbols NAME SUITE ARCHITECTURE GLOB: makes vmlinux-NAME, the kernel with its debug symbols.
fetch_symbols() {
  local name=$1 suite=$2 architecture=$3 pattern=$4 work image
  [ ! -e "$guest_assets/vmlinux-$name" ] || return 0
  step "Fetching the debug symbols of guest kernel $name"
  work=$(mktemp -d "$guest_assets/tmp.XXXXXX")
  # The package holds those of all modules, too: 1.7 GB.
  if download_package "$suite" "$architecture" "$pattern" "$work" &&
    dpkg-deb --fsys-tarfile "$work"/*.deb | tar -x -C "$work" --wildcards '*/vmlinux-*'; then
    image=$(find "$work" -name 'vmlinux-*' -type f -print -quit)
    mv "$image" "$guest_assets/vmlinux-$name" && rm -rf "$work" && return 0
  fi
  rm -rf "$work"
  return 1
}

# pack_modules WORK NAMES FILE: an archive of the modules named (comma-separated, - for none) and
# those they need, as /modules/NN-NAME.ko in the order in which they must be loaded.
pack_modules() {
  local work=$1 names=$2 archive=$3 version base order=10 name path
  mkdir -p "$work/packed/modules"
  if [ "$names" != - ]; then
    base=$work/root
    [ -d "$base/lib/modules" ] || base=$work/root/usr
    version=$(ls "$base/lib/modules")
    /sbin/depmod -b "$base" "$version" || return 1
    for name in ${names//,/ }; do
      while read -r _ path _; do
        [ -z "$(find "$work/packed/modules" -name "*-$(basename "$path")")" ] || continue
        cp "$path" "$work/packed/modules/$order-$(basename "$path")"
        order=$((order + 1))
      done < <(/sbin/modprobe -d "$base" -S "$version" --show-depends "$name" | grep ^insmod)
      [ -n "$(find "$work/packed/modules" -name "*-$name.ko*")" ] || return 1
    done
    # What loads them in the guest does not unpack them.
    find "$work/packed/modules" -name '*.xz' -exec xz -d {} + || return 1
  fi
  pack_archive "$work/packed" "$archive"
}

# build_trouble_module NAME SUITE: makes trouble-NAME.cpio.gz, in which /trouble.ko is the module of
# tests/live/module for guest kernel NAME, built with that kernel's own headers. They are used where
# they are unpacked, so the paths in them that name an installed kernel are changed.
build_trouble_module() {
  local name=$1 suite=$2 work stamp release headers
  [ -e "$guest_assets/vmlinuz-$name" ] || return 1
  release=$(file -b "$guest_assets/vmlinuz-$name" | sed -n 's/.*, version \([^ ]*\) .*/\1/p')
  stamp=$({ cat tests/live/module/*; echo "$release"; } | sha256sum)
  if [ "$(cat "$guest_assets/trouble-$name.stamp" 2>/dev/null)" = "$stamp" ] &&
    [ -e "$guest_assets/trouble-$name.cpio.gz" ]; then
    return 0
  fi
  step "Building the module of the tests for guest kernel $name"
  work=$(mktemp -d "$guest_assets/tmp.XXXXXX")
  headers=$work/root/usr/src/linux-headers-$release
  if open_private_apt "$suite" amd64 &&
    (cd "$work" && timeout 300 apt-get "${private_apt[@]}" -qq download "linux-headers-$release" \
      "linux-headers-${release%-cloud-amd64}-common" "linux-kbuild-${release%.*}" </dev/null >&2) &&
    for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root" || break; done &&
    sed -i "s|/usr/src/|$work/root/usr/src/|" "$headers/Makefile" &&
    mkdir -p "$work/module" "$work/packed" && cp tests/live/module/trouble.c "$work/module" &&
    echo 'obj-m := trouble.o' >"$work/module/Makefile" &&
    make -s -C "$headers" M="$work/module" CC="${CC:-gcc}" modules </dev/null >&2 &&
    cp "$work/module/trouble.ko" "$work/packed" &&
    pack_archive "$work/packed" "$work/trouble.cpio.gz"; then
    mv "$work/trouble.cpio.gz" "$guest_assets/trouble-$name.cpio.gz"
    echo "$stamp" >"$guest_assets/trouble-$name.stamp"
    rm -rf "$work"
    return 0
  fi
  rm -rf "$work"
  return 1
}

# pack_archive DIRECTORY FILE: the directory as a compressed cpio archive, owned by root.
pack_archive() {
  (cd "$1" && find . -mindepth 1 -print0 | sort -z |
    cpio --null --create --format=newc --owner=0:0 --quiet) | gzip -n -6 >"$2"
}

# build_initramfs NAME COMPILER BUSYBOX: makes NAME.cpio.gz of that busybox, guest_tool and init from
# tests/live/image.
build_initramfs() {
  local name=$1 compiler=$2 busybox=$3 image=tests/live/image work stamp
  stamp=$(cat "$image"/* "$busybox" | sha256sum)
  if [ "$(cat "$guest_assets/$name.stamp" 2>/dev/null)" = "$stamp" ] &&
    [ -e "$guest_assets/$name.cpio.gz" ]; then
    return 0
  fi
  step "Building the guests' $name"
  work=$(mktemp -d "$guest_assets/tmp.XXXXXX")
  mkdir -p "$work"/root/{bin,dev,proc,sys,tmp}
  "$compiler" -O1 -Wall -Wextra -Wshadow -Werror -static -pthread -o "$work/root/bin/guest_tool" \
    "$image"/*.c
  cp "$busybox" "$work/root/bin/busybox"
  # This machine's own can be asked what it can do, whatever the other one is made for.
  busybox --list | while read -r applet; do
    [ "$applet" = busybox ] || ln -s busybox "$work/root/bin/$applet"
  done
  install -m 755 "$image/init" "$work/root/init"
  pack_archive "$work/root" "$work/initramfs.cpio.gz"
  mv "$work/initramfs.cpio.gz" "$guest_assets/$name.cpio.gz"
  echo "$stamp" >"$guest_assets/$name.stamp"
  rm -rf "$work"
}

# build_arm64_initramfs: the same as initramfs-arm64.cpio.gz, of Debian's busybox for arm64.
build_arm64_initramfs() {
  local work
  if [ ! -e "$guest_assets/busybox-arm64" ]; then
    step "Fetching busybox for arm64"
    work=$(mktemp -d "$guest_assets/tmp.XXXXXX")
    fetch_package bookworm arm64 busybox-static "$work" || return 1
    mv "$(find "$work/root" -path '*/bin/busybox' -type f -print -quit)" "$guest_assets/busybox-arm64"
    rm -rf "$work"
  fi
  build_initramfs initramfs-arm64 aarch64-linux-gnu-gcc "$guest_assets/busybox-arm64"
}

# fetch_agent: makes agent.cpio.gz, Debian's qemu-ga with the libraries it needs, to be laid over the
# initramfs.
fetch_agent() {
  local work package library libraries
  [ ! -e "$guest_assets/agent.cpio.gz" ] || return 0
  step "Fetching the guest agent"
  work=$(mktemp -d "$guest_assets/tmp.XXXXXX")
  open_private_apt bookworm amd64 || return 1
  (cd "$work" && timeout 300 apt-get "${private_apt[@]}" -qq download qemu-guest-agent libc6 \
    libglib2.0-0 libnuma1 libpcre2-8-0 libudev1 liburing2 </dev/null >&2) || return 1
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/all" || return 1; done
  libraries=$work/packed/lib/x86_64-linux-gnu
  mkdir -p "$work/packed/bin" "$work/packed/lib64" "$libraries"
  cp "$work/all/usr/sbin/qemu-ga" "$work/packed/bin"
  cp -L "$work/all/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$work/packed/lib64"
  for library in c m glib-2.0 gmodule-2.0 numa pcre2-8 udev uring; do
    find "$work/all" -name "lib$library.so.[0-9]*" -exec cp -P -n {} "$libraries" \;
  done
  pack_archive "$work/packed" "$work/agent.cpio.gz"
  mv "$work/agent.cpio.gz" "$guest_assets/agent.cpio.gz"
  rm -rf "$work"
}
