// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "ccrypto_sha256.h"

#include <errno.h>
#include <openssl/evp.h>

// libcrypto's own context is the whole state; the named type only keeps OpenSSL's headers out of Swift's sight.
static EVP_MD_CTX *context(ccrypto_sha256 *state) {
    return (EVP_MD_CTX *)state;
}

ccrypto_sha256 *ccrypto_sha256_new(void) {
    EVP_MD_CTX *made = EVP_MD_CTX_new();
    if (made == NULL) {
        return NULL;
    }
    if (EVP_DigestInit_ex(made, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(made);
        return NULL;
    }
    return (ccrypto_sha256 *)made;
}

int ccrypto_sha256_update(ccrypto_sha256 *state, const void *bytes, size_t size) {
    if (size == 0) {
        return 0;
    }
    return EVP_DigestUpdate(context(state), bytes, size) == 1 ? 0 : -EIO;
}

int ccrypto_sha256_finish(ccrypto_sha256 *state, uint8_t *digest) {
    unsigned int written = 0;
    if (EVP_DigestFinal_ex(context(state), digest, &written) != 1) {
        return -EIO;
    }
    return written == CCRYPTO_SHA256_SIZE ? 0 : -EIO;
}

void ccrypto_sha256_free(ccrypto_sha256 *state) {
    EVP_MD_CTX_free(context(state));
}
