// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire

/// A system call that a sandbox's filter refused, as the jail tells it.
///
/// Texts and numbers are what hostile code chose; they are for people, and nothing hangs on them.
struct RefusedCall: Hashable, Sendable {
    var call: String
    /// As they were given; `int` ones have whatever stood in their upper halves.
    var arguments: [UInt64]
    /// 1; more = so many of this call together, and nothing else is known of them.
    var count: Int
    var process: Int
    /// A Linux errno.
    var errno: Int
    /// The file that the process runs; "" where that is unknown.
    var program: String
    /// Texts that the call was given: what it is about, and as what.
    var texts: [String]

    init(
        _ call: String,
        _ arguments: [UInt64],
        count: Int = 1,
        process: Int = 1,
        errno: Int = 1,
        program: String = "",
        texts: [String] = []
    ) {
        self.call = call
        self.arguments = arguments + [UInt64](repeating: 0, count: max(0, 6 - arguments.count))
        self.count = count
        self.process = process
        self.errno = errno
        self.program = program
        self.texts = texts
    }

    /// The lower half of an argument: all that the kernel looks at where it takes an `int`.
    func int(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: arguments[index]) }
}

extension RefusedCall {
    /// Of a packet whose texts were found to end.
    init(_ record: sbx_violation) {
        let arguments = record.arguments
        self.init(
            Self.text(record.call),
            [arguments.0, arguments.1, arguments.2, arguments.3, arguments.4, arguments.5],
            count: Int(clamping: record.count),
            process: Int(record.process),
            errno: Int(record.error),
            program: Self.text(record.program),
            texts: [Self.text(record.first), Self.text(record.second)].filter { !$0.isEmpty }
        )
    }

    /// The text that ends with the first NUL of a C array of characters.
    private static func text<Characters>(_ characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
