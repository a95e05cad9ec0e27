// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import SystemPackage

/// Leaves out the one directory in which everything of an archive lies.
struct Stripping {
    let root: DirectoryHandle
    /// A link that would lead out of the tree then.
    let linkToTop: String?

    /// Moves everything one level up; returns the directory's name, nil where there is more than that directory.
    func run() throws(ArchiveProblem) -> String? {
        do throws(Errno) {
            let names = try root.names()
            guard names.count == 1, try root.status(of: names[0][...]).kind == .directory else { return nil }
            let top = TreePath.root.appending(names[0])
            if linkToTop == nil { try strip(top) }
            if linkToTop == nil { return top.description }
        } catch {
            throw .write(entry: "the top level", error)
        }
        throw .unsafe(entry: linkToTop ?? "", "is a symbolic link that leads out of the top-level directory")
    }

    private func strip(_ top: TreePath) throws(Errno) {
        let directory = try root.openDirectory(top)
        // Out of the way first: it may hold something of its own name.
        let temporary = try freeName(besides: directory)
        try root.move(top.name, to: root, as: temporary[...])
        for name in try directory.names() { try directory.move(name[...], to: root, as: name[...]) }
        try root.removeDirectory(temporary[...])
    }

    private func freeName(besides directory: DirectoryHandle) throws(Errno) -> [UInt8] {
        let taken = Set(try directory.names())
        var number = 0
        while taken.contains(Array(".drydock-strip-\(number)".utf8)) { number += 1 }
        return Array(".drydock-strip-\(number)".utf8)
    }
}
