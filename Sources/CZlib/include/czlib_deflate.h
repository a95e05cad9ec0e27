// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// The part of zlib that writers of messages need: whole messages, each compressed by itself.

#ifndef CZLIB_DEFLATE_H
#define CZLIB_DEFLATE_H

#include <stddef.h>
#include <stdint.h>

#include "czlib_inflate.h"

// Swift reads nullability from these; -Wpedantic takes it for an extension.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"

/// Compresses one message after another; about 256 KiB with a window of 15 bits.
typedef struct czlib_deflater czlib_deflater;

/// Makes a deflater of bare deflate (RFC 1951), NULL without memory or for arguments that zlib does not take. The caller
/// frees it with `czlib_deflater_free`. `level` is 1 to 9, `window_bits` 9 to 15: zlib can do no bare deflate with 8.
czlib_deflater *_Nullable czlib_deflater_new(int32_t level, int32_t window_bits);

void czlib_deflater_free(czlib_deflater *_Nullable deflater);

/// Compresses a whole message, without a look at those before it, and ends it with an empty stored block (00 00 FF FF).
/// CZLIB_CONTINUE: there is not room enough for it. CZLIB_END: it is complete, and has `produced` bytes.
czlib_result czlib_deflate_message(czlib_deflater *_Nonnull deflater, const uint8_t *_Nullable input,
                                   uint32_t input_size, uint8_t *_Nonnull output, uint32_t output_size,
                                   uint32_t *_Nonnull produced);

#pragma clang diagnostic pop

#endif
