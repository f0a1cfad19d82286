#!/usr/bin/env bash
# Installs what the tests need and is missing: a browser, and a Vulkan that runs on the CPU. Quick when all is there.
set -euo pipefail

if ! command -v npm >/dev/null; then
  echo "The page's tests need Node.js with npm, 20 or newer. Install it and run this again: https://nodejs.org" >&2
  exit 1
fi

missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/share/vulkan/icd.d/lvp_icd*.json' >/dev/null || missing+=(mesa-vulkan-drivers)
PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep -q 'libvulkan\.so\.1' || missing+=(libvulkan1)
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "The tests need ${missing[*]} (Debian's names). Install them and run this again." >&2
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "The tests need ${missing[*]}. Install them and run this again: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "Installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
