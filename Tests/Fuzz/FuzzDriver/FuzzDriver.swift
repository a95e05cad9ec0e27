// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc

/// What libFuzzer calls with each input.
package typealias FuzzTarget = @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt

/// libFuzzer without its own `main`, so that ours can pick the target; its declaration stands in no header.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: FuzzTarget
) -> CInt

/// `PROGRAM TARGET` and what libFuzzer takes: one program for many targets, as building it is what takes time.
package enum FuzzDriver {
    /// Gives `body` the input as an array, whose end AddressSanitizer guards.
    package static func run(
        _ bytes: UnsafePointer<UInt8>?,
        _ count: Int,
        _ body: ([UInt8]) -> Void
    ) -> CInt {
        body(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

    /// Runs the target that the first argument names.
    package static func main(_ targets: [String: FuzzTarget]) -> Never {
        let name = CommandLine.arguments.dropFirst().first
        guard let target = name.flatMap({ targets[$0] }) else {
            print("the first argument is a target: \(targets.keys.sorted().joined(separator: ", "))")
            exit(64)
        }
        // libFuzzer sees the name of the program and what follows the target.
        var count = CommandLine.argc - 1
        var arguments = CommandLine.unsafeArgv + 1
        arguments[0] = CommandLine.unsafeArgv[0]
        exit(runLibFuzzer(&count, &arguments, target))
    }
}
