// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// SHA-256 over libcrypto's EVP, piece by piece.
//
// Source: FIPS 180-4; man 3 EVP_DigestInit_ex.

#ifndef CCRYPTO_SHA256_H
#define CCRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define CCRYPTO_SHA256_SIZE 32

#pragma clang assume_nonnull begin

/// A digest that is being worked out. Owned by whoever made it; used by one thread at a time.
typedef struct ccrypto_sha256 ccrypto_sha256;

/// A new one, NULL when memory ran out or libcrypto has no SHA-256. Freed by `ccrypto_sha256_free`.
ccrypto_sha256 *_Nullable ccrypto_sha256_new(void);

/// Takes `size` bytes in; `bytes` may be NULL when `size` is 0. 0, or -EIO when libcrypto refused.
int ccrypto_sha256_update(ccrypto_sha256 *state, const void *_Nullable bytes, size_t size);

/// Writes the CCRYPTO_SHA256_SIZE bytes of the digest; nothing but `free` may follow. 0 or -EIO.
int ccrypto_sha256_finish(ccrypto_sha256 *state, uint8_t *digest);

/// Frees `state`; NULL is fine.
void ccrypto_sha256_free(ccrypto_sha256 *_Nullable state);

#pragma clang assume_nonnull end

#endif
