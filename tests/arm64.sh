#!/usr/bin/env bash
# Tests on ARM64, emulated: for Debian 12 on another processor, as root.
#
#     tests/arm64.sh FOLDER tests/test_matmul.py tests/test_lstm.py ...
#
# The first time an arm64 Python and the wheels of the tests are put into FOLDER, some 600 MB. Kernels
# are compiled under emulation, which takes minutes a file; they stay in FOLDER/cache.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:?name a folder for the emulated system}"
folder=$(cd "$1" && pwd)
shift
version=3.11
packages=(python$version python$version-minimal libpython$version-minimal libpython$version-stdlib
    libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libssl3 libffi8 libbz2-1.0 liblzma5 libsqlite3-0
    libuuid1 tzdata)
wheels=("numpy>=2.0" "numba>=0.61" "scipy>=1.13" click threadpoolctl msgspec tomli-w rich filelock
    regex joblib pytest pytest-benchmark pytest-xdist hypothesis safetensors mpmath)

if [ ! -e "$folder/ready" ]; then
    dpkg --add-architecture arm64
    apt-get update -qq
    apt-get install -y -qq qemu-user
    mkdir -p "$folder/packages" "$folder/wheels"
    cd "$folder/packages"
    for name in "${packages[@]}"; do # tzdata and the like are of every architecture
        apt-get download "$name:arm64" || apt-get download "$name"
    done
    for file in *.deb; do dpkg-deb -x "$file" "$folder/system"; done
    "$root/.venv/bin/python" -m pip download --quiet --dest "$folder/wheels" \
        --only-binary=:all: --python-version $version --implementation cp \
        --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
        --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 "${wheels[@]}"
    for file in "$folder"/wheels/*.whl; do
        "$root/.venv/bin/python" -m zipfile -e "$file" "$folder/site"
    done
    touch "$folder/ready"
fi

cd "$root"
export PYTHONPATH="$root:$folder/site" NUMBA_CACHE_DIR="$folder/cache" PYTHONDONTWRITEBYTECODE=1
unset OPENBLAS_CORETYPE # names a processor that is not there
qemu-aarch64 -L "$folder/system" "$folder/system/usr/bin/python$version" -m pytest \
    -p no:cacheprovider --benchmark-disable "$@"
