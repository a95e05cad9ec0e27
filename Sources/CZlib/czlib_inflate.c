// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "czlib_inflate.h"

#include <stdlib.h>
#include <zlib.h>

struct czlib_inflater {
    z_stream stream;
};

czlib_inflater *czlib_inflater_new(czlib_wrapping wrapping) {
    czlib_inflater *inflater = calloc(1, sizeof *inflater);
    if (inflater == NULL) {
        return NULL;
    }
    // zlib.h, inflateInit2: negative = no wrapping, 16 more = gzip only.
    int window_bits = wrapping == CZLIB_GZIP ? 16 + MAX_WBITS : -MAX_WBITS;
    if (inflateInit2(&inflater->stream, window_bits) != Z_OK) {
        free(inflater);
        return NULL;
    }
    return inflater;
}

void czlib_inflater_free(czlib_inflater *inflater) {
    if (inflater != NULL) {
        inflateEnd(&inflater->stream);
        free(inflater);
    }
}

czlib_result czlib_inflater_reset(czlib_inflater *inflater) {
    return inflateReset(&inflater->stream) == Z_OK ? CZLIB_CONTINUE : CZLIB_CORRUPT;
}

czlib_result czlib_inflate(czlib_inflater *inflater, const uint8_t *input, uint32_t input_size, uint8_t *output,
                           uint32_t output_size, uint32_t *consumed, uint32_t *produced) {
    z_stream *stream = &inflater->stream;
    // zlib takes its input as `Bytef *` but only reads it (ZLIB_CONST would say so, but changes z_stream for everyone).
    stream->next_in = (Bytef *)(uintptr_t)input;
    stream->avail_in = input_size;
    stream->next_out = output;
    stream->avail_out = output_size;
    int status = inflate(stream, Z_NO_FLUSH);
    *consumed = input_size - stream->avail_in;
    *produced = output_size - stream->avail_out;
    stream->next_in = NULL;
    stream->next_out = NULL;
    switch (status) {
    case Z_OK:
    case Z_BUF_ERROR: // no progress was possible: more input or room is needed
        return CZLIB_CONTINUE;
    case Z_STREAM_END:
        return CZLIB_END;
    case Z_MEM_ERROR:
        return CZLIB_NO_MEMORY;
    default:
        return CZLIB_CORRUPT;
    }
}

int32_t czlib_inflater_is_between_blocks(const czlib_inflater *inflater) {
    // zlib.h, inflate: 128 = right behind an end-of-block code, and the low six bits count what is left of the last byte.
    return (inflater->stream.data_type & (128 | 63)) == 128;
}

uint32_t czlib_crc32(uint32_t crc, const uint8_t *bytes, size_t count) {
    return (uint32_t)crc32_z(crc, bytes, count);
}

uint32_t czlib_crc32_combine(uint32_t first, uint32_t second, int64_t second_size) {
    return (uint32_t)crc32_combine(first, second, (z_off_t)second_size);
}
