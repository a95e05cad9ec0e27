// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockCommands
import Glibc

exit(await DrydockMain.run(Array(CommandLine.arguments.dropFirst())))
