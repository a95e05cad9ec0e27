// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import FuzzDriver

/// All targets that do without the server.
@main
enum FuzzMain {
    static func main() {
        FuzzDriver.main([
            "plugin-lines": { FuzzDriver.run($0, $1, PluginFuzz.lines) },
            "splitter": { FuzzDriver.run($0, $1, PluginFuzz.splitter) },
            "client": { FuzzDriver.run($0, $1, ClientFuzz.message) },
            "yaml": { FuzzDriver.run($0, $1, ProjectFileFuzz.file) },
            "tar": { FuzzDriver.run($0, $1, ArchiveFuzz.tar) },
            "zip": { FuzzDriver.run($0, $1, ArchiveFuzz.zip) },
            "journal": { FuzzDriver.run($0, $1, JournalFuzz.record) },
            "command": { FuzzDriver.run($0, $1, ObserverFuzz.command) },
            "pattern": { FuzzDriver.run($0, $1, ObserverFuzz.pattern) },
            "observer": { FuzzDriver.run($0, $1, ObserverFuzz.output) },
            "json": { FuzzDriver.run($0, $1, JournalFuzz.json) },
        ])
    }
}
