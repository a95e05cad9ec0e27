// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import FuzzDriver

/// The targets within the server, apart from the others: building it takes ten times as long.
@main
enum FuzzServerMain {
    static func main() {
        FuzzDriver.main(["websocket": { FuzzDriver.run($0, $1, FrameFuzz.frames) }])
    }
}
