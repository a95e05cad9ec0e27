// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import DrydockTestSupport
import Testing

@Suite("Measuring trees", .timeLimit(.minutes(1)))
struct TreeMeterTests {
    private func measure(_ script: String, mostEntries: Int = 10_000) throws -> TreeMeter.Reading {
        let scratch = try ScratchDirectory()
        try scratch.run("/bin/sh", ["-c", script])
        return try TreeMeter.measure(try scratch.open(), mostEntries: mostEntries)
    }

    @Test("files, links and directories are counted, with what they take up")
    func counts() throws {
        let reading = try measure(
            "mkdir -p a/b; head -c 100000 /dev/zero > a/b/file; ln -s /usr a/link; mkfifo p"
        )
        #expect(reading.entries == 5)
        #expect(reading.isWhole)
        #expect(reading.bytes >= 100_000 + 2 * 4_096 && reading.bytes < 200_000, "\(reading)")
    }

    @Test("empty directories take up something")
    func directories() throws {
        #expect(try measure("mkdir $(seq 1000)").bytes >= 1_000 * 4_096)
    }

    @Test("a sparse file takes up what is written of it")
    func sparse() throws {
        #expect(try measure("truncate -s 1G file").bytes < 1 << 20)
    }

    @Test("a measure ends at the number of entries that is asked for")
    func most() throws {
        #expect(try measure("mkdir d; cd d; touch $(seq 3000)", mostEntries: 1_000).entries == 1_001)
    }

    @Test("a tree deeper than the meter goes is told as not whole")
    func deep() throws {
        let path = { (depth: Int) in String(repeating: "d/", count: depth) }
        #expect(try measure("mkdir -p \(path(255))").isWhole)
        #expect(try !measure("mkdir -p \(path(300))").isWhole)
    }
}
