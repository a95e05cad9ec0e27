// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import SystemPackage

/// Whom one sandbox is to trust, in the two forms that tools read: a list of certificates, and Java's store of the same.
struct TrustFiles: Sendable {
    /// PEM; the operator's own file, where nothing is added to it.
    let roots: String
    let javaStore: String
    private let made: [RootsFile]

    /// Those of `roots`, a file, and `certificate`, where there is one.
    ///
    /// Blocks.
    init(_ roots: String, and certificate: String?) throws(Errno) {
        var made: [RootsFile] = []
        do throws(Errno) {
            if let certificate { made.append(try RootsFile(roots, and: certificate)) }
            made.append(try RootsFile(javaStoreOf: made.first?.path ?? roots))
        } catch {
            for file in made { file.remove() }
            throw error
        }
        self.roots = certificate == nil ? roots : made[0].path
        javaStore = made[made.count - 1].path
        self.made = made
    }

    /// Takes away the names of those that were made; what is mounted stays.
    func remove() {
        for file in made { file.remove() }
    }
}
