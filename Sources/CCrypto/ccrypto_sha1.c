// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "ccrypto_sha1.h"

#include <errno.h>
#include <openssl/evp.h>

int ccrypto_sha1(const void *bytes, size_t size, uint8_t *digest) {
    unsigned int written = 0;
    if (EVP_Digest(bytes, size, digest, &written, EVP_sha1(), NULL) != 1) {
        return -EIO;
    }
    return written == CCRYPTO_SHA1_SIZE ? 0 : -EIO;
}
