// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Glibc
import Testing

@testable import DrydockOS

@Suite("Making a file system", .timeLimit(.minutes(1)))
struct ImageFormatterTests {
    @Test("an mke2fs that hangs is ended, with what it started")
    func hangs() throws {
        try withFormatter("#!/bin/sh\necho $$ > \"${0%/*}/pid\"\nsleep 2718.25\n", patience: .seconds(1)) {
            formatter in
            #expect(throws: DiskImageError.formatterHangs(.seconds(1))) {
                try ImageTemplate(holding: 1 << 20, by: formatter)
            }
            // The group's leader is reaped, and its `sleep` with it: nobody is left to take a signal.
            let leader = try String(contentsOfFile: formatter.folders[0] + "/pid", encoding: .utf8)
            let group = try #require(pid_t(leader.trimmingCharacters(in: .whitespacesAndNewlines)))
            while kill(-group, 0) == 0 { usleep(10_000) }
            #expect(errno == ESRCH)
        }
    }

    @Test("one that fails is told with its status, and one that is missing with the places")
    func fails() throws {
        try withFormatter("#!/bin/sh\nexit 3\n", patience: .seconds(20)) { formatter in
            #expect(throws: DiskImageError.notFormatted("exit status 3")) {
                try ImageTemplate(holding: 1 << 20, by: formatter)
            }
            var elsewhere = formatter
            elsewhere.folders = ["/dev/null"]
            #expect(throws: DiskImageError.noFormatter(["/dev/null"])) {
                try ImageTemplate(holding: 1 << 20, by: elsewhere)
            }
        }
    }

    private func withFormatter(
        _ script: String,
        patience: Duration,
        _ body: (ImageFormatter) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "drydock-mke2fs-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appending(path: "mke2fs")
        try Data(script.utf8).write(to: program)
        chmod(program.path, 0o755)
        var formatter = ImageFormatter()
        formatter.folders = [folder.path]
        formatter.patience = patience
        try body(formatter)
    }
}
