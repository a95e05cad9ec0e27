// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import Glibc
import SystemPackage
import Testing

@testable import DrydockPlugins

@Suite("The input of a driver", .timeLimit(.minutes(1)))
struct DriverInputTests {
    private func end(_ number: Int, padding: Int = 0) -> HostRecord {
        .execEnd(.refused(id: "e\(number)", error: String(repeating: "x", count: padding)))
    }

    @Test("lines come in their order, and the end behind them")
    func order() async throws {
        let (input, childEnd) = try DriverInput.make()
        for number in 0..<100 { #expect(input.post(end(number))) }
        #expect(await input.send(end(100)))
        input.finish()
        let child = OwnedDescriptor(taking: childEnd)
        let bytes = try child.withDescriptor { child throws(Errno) in
            try FileContents.all(of: child, atMost: 1 << 20)
        }
        #expect(bytes == (0...100).flatMap { end($0).encoded() })
    }

    @Test("a driver that does not read is sent nothing more, and nobody waits for it long")
    func deaf() async throws {
        let (input, childEnd) = try DriverInput.make(patience: 50)
        let child = OwnedDescriptor(taking: childEnd)
        var posted = 0
        // Far more than a socket holds.
        while posted < 5_000, input.post(end(posted, padding: 4_000)) { posted += 1 }
        #expect(posted < 5_000)
        #expect(await !input.send(end(0)))
        #expect(!input.post(end(0)))
        withExtendedLifetime(child) {}
    }

    @Test("a driver that has ended takes nothing")
    func gone() async throws {
        let (input, childEnd) = try DriverInput.make()
        try childEnd.close()
        #expect(await !input.send(end(0)))
    }
}
