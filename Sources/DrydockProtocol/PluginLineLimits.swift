// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// What a plugin's line may be at most; checked before, or while, anything of it is parsed.
package enum PluginLineLimits {
    /// Bytes of a line without its newline.
    package static let line = 64 << 10
    /// Objects and arrays inside each other.
    package static let depth = 16
    /// Keys of all objects of a record together.
    package static let fields = 256
    /// Elements of all arrays of a record together.
    package static let elements = 4_096
    /// Characters of a number.
    package static let number = 64
    /// UTF-8 bytes of an id, a unit, a code, a level.
    package static let word = 64
    /// UTF-8 bytes of a title, a path, a URL.
    package static let title = 4 << 10
    /// UTF-8 bytes of a text, message, markdown, output value, standard input.
    package static let text = 32 << 10
    /// Shortest value that can be masked; a shorter one would blank half the log.
    package static let shortestMask = 4
    /// Lines of output that an `exec.end` may carry.
    package static let tail = 200
}
