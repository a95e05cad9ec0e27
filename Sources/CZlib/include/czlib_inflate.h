// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

// The part of zlib that readers of archives and messages need. zlib's initialisers are macros, and its stream structure points into
// the caller's buffers between calls; here both stay on this side.

#ifndef CZLIB_INFLATE_H
#define CZLIB_INFLATE_H

#include <stddef.h>
#include <stdint.h>

// Swift reads nullability from these; -Wpedantic takes it for an extension.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"

/// Decompresses one stream after another.
typedef struct czlib_inflater czlib_inflater;

/// What wraps the deflated bytes.
typedef enum czlib_wrapping {
    /// Nothing, as inside zip and in messages (RFC 1951).
    CZLIB_RAW = 0,
    /// A gzip member; its checksum and length are verified (RFC 1952).
    CZLIB_GZIP = 1,
} czlib_wrapping;

/// How a call of `czlib_inflate` ended.
typedef enum czlib_result {
    /// Went on; more input or more room is needed.
    CZLIB_CONTINUE = 0,
    /// The stream (the member) is complete.
    CZLIB_END = 1,
    /// The bytes are no such stream, or a checksum is wrong.
    CZLIB_CORRUPT = 2,
    /// No memory.
    CZLIB_NO_MEMORY = 3,
} czlib_result;

/// Makes an inflater, NULL without memory. The caller frees it with `czlib_inflater_free`.
czlib_inflater *_Nullable czlib_inflater_new(czlib_wrapping wrapping);

void czlib_inflater_free(czlib_inflater *_Nullable inflater);

/// Makes it ready for the next stream of the same wrapping.
czlib_result czlib_inflater_reset(czlib_inflater *_Nonnull inflater);

/// Decompresses from `input` into `output`. `consumed` and `produced` tell how many bytes of each were used; both 0
/// with CZLIB_CONTINUE means that more input is needed.
czlib_result czlib_inflate(czlib_inflater *_Nonnull inflater, const uint8_t *_Nullable input, uint32_t input_size,
                           uint8_t *_Nonnull output, uint32_t output_size, uint32_t *_Nonnull consumed,
                           uint32_t *_Nonnull produced);

/// Whether the last call of `czlib_inflate`, which used some input, ended with a block, to the byte: what follows is the
/// next block, or nothing. A call without input forgets it.
int32_t czlib_inflater_is_between_blocks(const czlib_inflater *_Nonnull inflater);

/// Goes on with a CRC-32 (start with 0). Source: RFC 1952 section 8.
uint32_t czlib_crc32(uint32_t crc, const uint8_t *_Nullable bytes, size_t count);

/// The CRC-32 of bytes with the CRC-32 `first`, followed by `second_size` bytes with the CRC-32 `second`.
uint32_t czlib_crc32_combine(uint32_t first, uint32_t second, int64_t second_size);

#pragma clang diagnostic pop

#endif
