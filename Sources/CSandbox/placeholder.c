// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "placeholder_CSandbox.h"
typedef int placeholder_CSandbox;
