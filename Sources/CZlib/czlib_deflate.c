// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "czlib_deflate.h"

#include <stdlib.h>
#include <zlib.h>

struct czlib_deflater {
    z_stream stream;
};

// zlib's default: how much of its tables a deflater keeps.
#define CZLIB_MEMORY_LEVEL 8

czlib_deflater *czlib_deflater_new(int32_t level, int32_t window_bits) {
    if (level < 1 || level > 9 || window_bits < 9 || window_bits > MAX_WBITS) {
        return NULL;
    }
    czlib_deflater *deflater = calloc(1, sizeof *deflater);
    if (deflater == NULL) {
        return NULL;
    }
    // zlib.h, deflateInit2: negative = no wrapping.
    if (deflateInit2(&deflater->stream, level, Z_DEFLATED, -window_bits, CZLIB_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(deflater);
        return NULL;
    }
    return deflater;
}

void czlib_deflater_free(czlib_deflater *deflater) {
    if (deflater != NULL) {
        // Says Z_DATA_ERROR for a stream that was not finished: ours never are.
        (void)deflateEnd(&deflater->stream);
        free(deflater);
    }
}

czlib_result czlib_deflate_message(czlib_deflater *deflater, const uint8_t *input, uint32_t input_size, uint8_t *output,
                                   uint32_t output_size, uint32_t *produced) {
    z_stream *stream = &deflater->stream;
    *produced = 0;
    if (deflateReset(stream) != Z_OK) {
        return CZLIB_CORRUPT;
    }
    // zlib takes its input as `Bytef *` but only reads it (ZLIB_CONST would say so, but changes z_stream for everyone).
    stream->next_in = (Bytef *)(uintptr_t)input;
    stream->avail_in = input_size;
    stream->next_out = output;
    stream->avail_out = output_size;
    int status = deflate(stream, Z_SYNC_FLUSH);
    // zlib.h, deflate: the flush is complete when room was left.
    int is_complete = status == Z_OK && stream->avail_in == 0 && stream->avail_out > 0;
    *produced = output_size - stream->avail_out;
    stream->next_in = NULL;
    stream->avail_in = 0;
    stream->next_out = NULL;
    stream->avail_out = 0;
    if (is_complete) {
        return CZLIB_END;
    }
    return status == Z_OK || status == Z_BUF_ERROR ? CZLIB_CONTINUE : CZLIB_CORRUPT;
}
