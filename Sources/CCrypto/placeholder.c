// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "placeholder_CCrypto.h"
typedef int placeholder_CCrypto;
