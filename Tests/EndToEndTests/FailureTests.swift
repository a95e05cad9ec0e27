// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import Testing

@Suite("a failure, told well", .timeLimit(.minutes(3)))
struct FailureTests {
    private func build(_ scratch: Scratch, _ output: String = "plain") throws -> Finished {
        try Program.drydock(scratch, "build", scratch.url("project").path, "--output", output)
    }

    private func script(_ scratch: Scratch, _ run: String) throws {
        let lines = run.split(separator: "\n").map { "        \($0)\n" }.joined()
        try scratch.write(
            "version: 1\nsteps:\n  - id: main\n    plugin: script\n    with:\n      run: |\n\(lines)",
            to: "project/drydock.yaml"
        )
    }

    private func events(_ finished: Finished) throws -> [Event] {
        try finished.out.split(separator: "\n").compactMap { try JournalCodec.decode(Array($0.utf8))?.event }
    }

    @Test("a compiler's error below make is told with its file, its line of source, and what ran")
    func compiler() async throws {
        try await withScratch { scratch in
            try scratch.write("all:\n\t$(MAKE) -C lib\n", to: "project/Makefile")
            try scratch.write("all:\n\tcc -c a.c\n", to: "project/lib/Makefile")
            let source = "#include <stdio.h>\n\nint main(void) {\n    int x = 1\n    return x;\n}\n"
            try scratch.write(source, to: "project/lib/a.c")
            let plain = try build(scratch)
            #expect(plain.status == 1)
            #expect(plain.out.contains("lib/a.c:5: error: expected ‘,’ or ‘;’"), "\(plain)")
            #expect(plain.out.contains("> 5 |     return x;"), "\(plain)")
            let failure = try #require(
                try events(try build(scratch, "json")).compactMap {
                    if case .finished(let end) = $0 { end.outcome.failure } else { nil }
                }.first
            )
            #expect(failure.file == "lib/a.c" && failure.line == 5)
            let details = try #require(failure.details)
            #expect(details.step?.rawValue == "make" && details.stage?.rawValue == "compile")
            #expect(details.command?.hasPrefix("make ") == true && details.status == "exit status 2")
            #expect(details.source?.lines.count == 4 && details.source?.first == 3)
            #expect(details.output.contains { $0.contains("expected ‘,’ or ‘;’") })
        }
    }

    @Test("a program that is missing, and one that was killed, are told by name")
    func statuses() async throws {
        try await withScratch { scratch in
            try script(scratch, "nosuchtool --version")
            let missing = try build(scratch)
            #expect(missing.out.contains("exit status 127: there is no program \"nosuchtool\""), "\(missing)")
            #expect(missing.out.contains("try: install it where builds run"), "\(missing)")
            try script(scratch, "sh -c 'kill -SEGV $$'\nexit $?")
            let killed = try build(scratch)
            #expect(
                killed.out.contains("exit status 139: something it ran was ended by signal 11 (SIGSEGV)"),
                "\(killed)"
            )
        }
    }

    @Test("what a link in the source leads to is shown to nobody")
    func links() async throws {
        try await withScratch { scratch in
            try script(scratch, "echo 'secret.c:1:1: error: no'\necho 'deep/secret.c:1:1: error: no'\nexit 1")
            try scratch.write("the secret\n", to: "outside/secret.c")
            let outside = scratch.url("outside").path
            try FileManager.default.createSymbolicLink(
                atPath: scratch.url("project/secret.c").path,
                withDestinationPath: "\(outside)/secret.c"
            )
            try FileManager.default.createSymbolicLink(
                atPath: scratch.url("project/deep").path,
                withDestinationPath: outside
            )
            let finished = try build(scratch)
            #expect(finished.status == 1 && !finished.out.contains("the secret"), "\(finished)")
        }
    }

    @Test("a project in the only folder is found, and named; errors in it are named from the top")
    func onlyFolder() async throws {
        try await withScratch { scratch in
            try scratch.write("all:\n\tcc -c a.c\n", to: "project/thing-1.0/Makefile")
            try scratch.write("int x\n", to: "project/thing-1.0/a.c")
            try scratch.write("a thing\n", to: "project/README")
            let finished = try build(scratch)
            #expect(finished.out.contains("the project is in the only folder, thing-1.0"), "\(finished)")
            #expect(finished.out.contains("thing-1.0/a.c:1: error:"), "\(finished)")
            try scratch.write("", to: "project/other/empty")
            let unclear = try build(scratch)
            #expect(unclear.out.contains("no plugin recognises the project"), "\(unclear)")
        }
    }

    @Test("a build of some seconds says how far it is, and the next one of the project knows better")
    func estimates() async throws {
        try await withScratch { scratch in
            try script(scratch, "for i in 1 2 3 4; do echo \"[$i/4] x\"; sleep 0.9; done")
            func percents() throws -> [Int] {
                try events(try build(scratch, "json")).compactMap {
                    if case .estimate(let estimate) = $0 { estimate.percent } else { nil }
                }
            }
            let first = try percents()
            #expect(!first.isEmpty && first == first.sorted())
            let second = try percents()
            #expect(second.count >= 2 && second == second.sorted() && (second.last ?? 0) >= 50, "\(second)")
        }
    }
}
