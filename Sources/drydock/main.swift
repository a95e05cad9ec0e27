// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockCommands
import Glibc

let arguments = Array(CommandLine.arguments.dropFirst())
DrydockMain.fillStandardDescriptors()
DrydockMain.separateMounts(arguments)
exit(await DrydockMain.run(arguments))
