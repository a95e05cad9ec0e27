// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import Glibc

/// Where clients may have sources fetched from, by the operator's configuration: nowhere, unless it says so.
package struct AllowedSources: Sendable, Hashable {
    /// Directories of this machine; they and all below them may be built.
    package var paths: [String]
    /// Hosts that may be cloned from.
    package var gitHosts: [String]

    package init(paths: [String] = [], gitHosts: [String] = []) {
        self.paths = paths
        self.gitHosts = gitHosts
    }

    /// Throws unless `source` is one of those.
    ///
    /// Links are resolved first, on both sides.
    func check(_ source: Source) throws(Failure) {
        switch source {
        case .archive: return
        case .path(let path):
            let real = Self.real(path)
            let isAllowed = paths.compactMap { Self.real($0) }.contains { allowed in
                real.map { PathRule.isWithin($0, allowed) } == true
            }
            if !isAllowed { throw Self.refused("the directory \(path)", key: "sources.paths") }
        case .git(let url, _):
            // The address itself is checked, host by host, where it is fetched.
            if gitHosts.isEmpty { throw Self.refused("the repository \(url)", key: "sources.git") }
        }
    }

    private static func refused(_ what: String, key: String) -> Failure {
        Failure(
            .sourceInvalid,
            .user,
            "\(what) is no source that clients may name",
            hint: "upload an archive, or ask the operator to allow it (\(key))"
        )
    }

    /// The bytes of the path that `path` leads to: names need not be texts.
    private static func real(_ path: String) -> [UInt8]? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
    }
}
