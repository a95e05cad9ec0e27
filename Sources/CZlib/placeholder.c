// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

#include "placeholder_CZlib.h"
typedef int placeholder_CZlib;
