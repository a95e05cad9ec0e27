// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// SHA-1 over libcrypto's EVP, in one go: for protocols that ask for it, never to protect anything.
//
// Source: FIPS 180-4; man 3 EVP_Digest.

#ifndef CCRYPTO_SHA1_H
#define CCRYPTO_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define CCRYPTO_SHA1_SIZE 20

#pragma clang assume_nonnull begin

/// Writes the CCRYPTO_SHA1_SIZE bytes of the digest of `size` bytes; `bytes` may be NULL when `size` is 0. 0 or -EIO.
int ccrypto_sha1(const void *_Nullable bytes, size_t size, uint8_t *digest);

#pragma clang assume_nonnull end

#endif
