// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockObservers
import DrydockProtocol
import Glibc

@testable import DrydockPlugins

/// `drydock-lines [ROUNDS [LINES]]`: what a line costs the processor from a command's pipe to the encoded record, on one thread.
///
/// Split, masked, looked at by observers and encoded; no sandbox, no disk. All kinds take turns; medians of the thread's own
/// processor time. `valgrind --tool=callgrind` on it counts instructions, whatever else the machine does.
@main
enum LinesBench {
    private struct Kind: Sendable {
        var name: String
        var command: [String]
        var line: @Sendable (Int) -> String
    }

    private static let kinds = [
        Kind(name: "ordinary, no observer", command: ["./build"], line: ordinary),
        Kind(name: "ordinary, make and compilers", command: ["make"], line: ordinary),
        Kind(name: "crafted: errors", command: ["make"]) {
            "src/file\($0).c:12:7: error: something is not right here with the number \($0) of the list [-Wx]"
        },
        Kind(name: "crafted: tokens of rules", command: ["make"], line: tokens),
        Kind(name: "ordinary, 4 000 B", command: ["make"]) { number in
            String(String(repeating: ordinary(number) + " ", count: 50).prefix(4_000))
        },
        Kind(name: "crafted, 4 000 B", command: ["make"]) { number in
            "a:\(number):1: error: " + String(repeating: ":1:1: error: a", count: 280)
        },
    ]

    @Sendable private static func ordinary(_ number: Int) -> String {
        "libtool: compile:  gcc -DHAVE_CONFIG_H -I. -O2 -c src/file\(number).c -o .libs/file\(number).o"
    }

    @Sendable private static func tokens(_ number: Int) -> String {
        let tokens = [
            "error: ", "warning: ", "a.c", ":1", ": ", "make: *** ", "[ 5%] ", "/usr/bin/ld: ",
            "undefined reference to ",
            "File \"", "\", line 3", "FAILED: ", "CMake Error at ", "collect2: ", "No rule", "(.text+0x1",
            "]", " [-W",
        ]
        var (line, state) = ("", UInt64(number))
        while line.utf8.count < 90 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            line += tokens[Int(state >> 33) % tokens.count]
        }
        return line
    }

    static func main() {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        let rounds = max(1, numbers.first ?? 5)
        let count = max(1, numbers.dropFirst().first ?? 100_000)
        let catalog = PluginCatalog.load(directories: ["plugins"]).observers
        guard !catalog.observers.isEmpty else {
            print("there are no observers in ./plugins: run it from the top of the checkout")
            exit(66)
        }
        let texts = kinds.map { kind in
            (0..<(kind.name.hasSuffix("4 000 B") ? count / 20 : count)).map(kind.line)
        }
        let chunks = texts.map(chunks)
        var times = [[Double]](repeating: [], count: kinds.count)
        for _ in 0..<rounds {
            for (index, kind) in kinds.enumerated() {
                let seconds = measure(kind, chunks[index], catalog)
                times[index].append(seconds / Double(texts[index].count))
            }
        }
        for (index, kind) in kinds.enumerated() {
            let line = times[index].sorted()[times[index].count / 2]
            print(pad(kind.name, 32), pad("\(Int(1 / line)) lines/s", 20), "\(Int(line * 1e9)) ns a line")
        }
    }

    /// As a pipe hands lines on: 64 KiB at a time.
    private static func chunks(_ lines: [String]) -> [[UInt8]] {
        let all = Array((lines.joined(separator: "\n") + "\n").utf8)
        return stride(from: 0, to: all.count, by: 1 << 16).map {
            Array(all[$0..<min($0 + 1 << 16, all.count)])
        }
    }

    private static func measure(_ kind: Kind, _ chunks: [[UInt8]], _ catalog: ObserverCatalog) -> Double {
        let places = SourcePlaces(root: "/w/s", directory: "", isInSource: { $0.hasSuffix(".c") })
        let output = ProjectOutput(
            sink: EncodingSink(),
            masker: StepMasker(["a-secret-of-the-project"]),
            stage: nil,
            guest: nil,
            observer: CommandObserver(kind.command, catalog: catalog, places: places, readJSON: { _ in nil }),
            clock: ContinuousClock(),
            tail: 0
        )
        let start = processorTime()
        for chunk in chunks { chunk.withUnsafeBytes { output.receive(.out, $0) } }
        output.finish(.ok)
        return processorTime() - start
    }

    private static func processorTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// Encodes what it is told, as the journal does, and forgets it.
private final class EncodingSink: @unchecked Sendable, StepEventSink {
    // SAFETY: one thread reads the output and is the only one to call.
    private var bytes: [UInt8] = []
    private var seq: UInt64 = 0

    func emit(_ events: [Event], via: Via) {
        bytes.removeAll(keepingCapacity: true)
        for event in events {
            seq += 1
            let record = JournalRecord(
                seq: seq,
                at: Timestamp.now(),
                build: BuildID(rawValue: "b_0123456789abcdef"),
                attempt: AttemptID(rawValue: "a_0123456789abcdef"),
                via: via,
                step: StepID(unchecked: "main"),
                event: event
            )
            JournalCodec.encode(record, into: &bytes)
        }
    }
}
