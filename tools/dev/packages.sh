# Every Debian package that this repository needs, by what needs it. Sourced by setup.sh.

# To build the program and its tests.
packages_build=(
  ca-certificates git cmake ninja-build ccache g++ pkg-config
  libboost1.81-dev libboost-json1.81-dev libboost-system1.81-dev libboost-url1.81-dev
  libcurl4-openssl-dev libcli11-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libtomlplusplus-dev
  libedit-dev libqrencode-dev nettle-dev libgnutls28-dev libgtest-dev
)

# Newer than Debian 12's: from its backports there, and as they are where the distribution is new enough.
ngtcp2_min=1.11
ngtcp2_modules="libngtcp2 >= $ngtcp2_min libngtcp2_crypto_gnutls >= $ngtcp2_min"
packages_ngtcp2=(libngtcp2-dev libngtcp2-crypto-gnutls-dev)

# For the end-to-end tests: `ip`, with which tests/netlab makes its hosts; a browser for the console, and letters in it.
packages_test=(iproute2 chromium fonts-dejavu-core)

# For ./dev fuzz, fmt, tidy and ci: one version of clang, so that everyone gets the same formatting and findings.
packages_check=(clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev)

# Only where no npm is installed; a newer Node than Debian's is left alone.
packages_node=(nodejs npm)
node_major_min=18  # node:test as the end-to-end tests use it

# llama.cpp v0.5.0 ships inside this npm package as a git bundle. The first hash is npm's dist.integrity, in hex.
llama_tag="v0.5.0"
llama_package="node-llama-cpp@3.22.1"
llama_package_sha512="6e5b488a9b9699cd76dc7eed30880318a4ac4ab866865418795502e3c5d38d55bb5c624988927209d95333343f2e25a83e4183a5c2f816f883a60c3ba9f4e20f"
llama_bundle_sha256="5f5d1105d5df040738d87b8290e5d17e7362131cdcfdb0831618e0ea528b4a51"
