#!/usr/bin/env bash
# Installs what the tests need and is missing: a browser, a Vulkan that runs on the CPU, and the Python readers of
# annotation files, in target/readers. Quick when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v npm >/dev/null; then
  echo "The page's tests need Node.js with npm, 20 or newer. Install it and run this again: https://nodejs.org" >&2
  exit 1
fi

# has_library NAME: whether the linker finds NAME, a regular expression.
has_library() {
  PATH=$PATH:/usr/sbin:/sbin ldconfig -p | grep -q "$1"
}

missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G '/usr/share/vulkan/icd.d/lvp_icd*.json' >/dev/null || missing+=(mesa-vulkan-drivers)
has_library 'libvulkan\.so\.1' || missing+=(libvulkan1)
# LabelMe's reader starts Qt, though it shows no window.
has_library 'libGL\.so\.1' || missing+=(libgl1)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)

install_packages() {
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
}
[ ${#missing[@]} -eq 0 ] || install_packages

# What is installed is written down beside it.
readers=target/readers
if ! cmp -s tests/readers/requirements.txt $readers/requirements.txt; then
  echo "Installing the readers of annotation files"
  rm -rf $readers
  python3 -m venv $readers
  $readers/bin/pip install --quiet --disable-pip-version-check --no-deps -r tests/readers/requirements.txt
  cp tests/readers/requirements.txt $readers/requirements.txt
fi
