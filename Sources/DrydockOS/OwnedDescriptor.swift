// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import SystemPackage

/// A descriptor that is closed exactly once: when its owner goes out of scope, or by `close()`.
package struct OwnedDescriptor: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Takes over `descriptor`; whoever passed it in no longer closes it.
    package init(taking descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// The number, for a system call; good only as long as the owner lives.
    package borrowing func withDescriptor<Result: ~Copyable, Problem: Error>(
        _ body: (FileDescriptor) throws(Problem) -> Result
    ) throws(Problem) -> Result {
        try body(descriptor)
    }

    /// Gives the descriptor away; the caller closes it from here on.
    package consuming func release() -> FileDescriptor {
        let released = descriptor
        discard self
        return released
    }

    /// Closes now.
    ///
    /// What `close` reports is lost: the descriptor is gone either way (man 2 close, "Dealing with error
    /// returns"); writers that care sync first.
    package consuming func close() {}

    deinit { try? descriptor.close() }  // harmless: see close()
}
