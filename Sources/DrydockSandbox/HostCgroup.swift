// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire
internal import DrydockOS
internal import Glibc
package import SystemPackage

/// Makes room for the control groups of sandboxes.
///
/// With cgroups v2 a group that has processes can not give controllers to its children, so this process moves into a
/// leaf beside the sandboxes'. Source: man 7 cgroups, "no internal processes".
package enum HostCgroup {
    /// What limits a sandbox.
    private static let controllers = ["memory", "pids", "cpu"]
    private static let root = "/sys/fs/cgroup"
    /// New processes may appear while the others are moved; more than this often they are a crowd, not a shell.
    private static let passes = 8

    /// What was found, or done.
    package enum Preparation: Hashable, Sendable {
        /// v1 or hybrid: nothing is to be done.
        case notNeeded
        /// This group is somebody else's, or shared with processes that are: sandboxes go without groups (L3).
        case notDelegated(Errno)
        /// This process is in the leaf now, and the sandboxes' controllers are on.
        case ready(group: String)
    }

    /// Moves what is in this process's group into the leaf, and enables the controllers; again is harmless.
    ///
    /// For the start of every process that starts sandboxes, before its first child: children begin in the leaf then,
    /// and those from before would be moved one by one. Touches no group but this process's own.
    @discardableResult
    package static func prepare() -> Preparation {
        guard HostFile.kind(of: "\(root)/cgroup.controllers") != .missing, let group = ownGroup() else {
            return .notNeeded
        }
        let leaf = "/" + SBX_CGROUP_HOST_LEAF
        let inner = group.hasSuffix(leaf) ? String(group.dropLast(leaf.count)) : group
        let directory = root + inner
        // At the top there may be processes beside groups, and controllers are the system's.
        if inner.isEmpty || areEnabled(in: directory) { return .ready(group: inner) }
        do {
            try makeLeaf(directory + leaf)
            try move(from: directory, to: directory + leaf)
            for controller in controllers {
                try write("+\(controller)", to: "\(directory)/cgroup.subtree_control")
            }
        } catch {
            return .notDelegated(error)
        }
        return .ready(group: inner)
    }

    /// The path of this process's v2 group, below the mount; the line `0::PATH`.
    private static func ownGroup() -> String? {
        guard let groups = HostFile.text(of: "/proc/self/cgroup") else { return nil }
        let line = groups.split(separator: "\n").first { $0.hasPrefix("0::/") }
        guard let path = line?.dropFirst(3), !path.contains("..") else { return nil }
        return path == "/" ? "" : String(path)
    }

    private static func areEnabled(in directory: String) -> Bool {
        guard let text = HostFile.text(of: "\(directory)/cgroup.subtree_control") else { return false }
        return Set(controllers.map { Substring($0) }).isSubset(of: text.split(separator: " "))
    }

    /// Moves this process and whatever shares its group, as the shell that waits for it: one that stays would keep the
    /// controllers off, and in the leaf it is bound by nothing new.
    private static func move(from group: String, to leaf: String) throws(Errno) {
        try write("\(getpid())", to: "\(leaf)/cgroup.procs")
        for _ in 0..<passes {
            let others = HostFile.text(of: "\(group)/cgroup.procs")?.split(separator: "\n") ?? []
            if others.isEmpty { return }
            for process in others {
                do {
                    try write(String(process), to: "\(leaf)/cgroup.procs")
                } catch  where error == .noSuchProcess {
                    continue  // it has ended meanwhile
                }
            }
        }
    }

    private static func makeLeaf(_ path: String) throws(Errno) {
        if mkdir(path, 0o755) != 0 && errno != EEXIST { throw Errno.current }
    }

    private static func write(_ text: String, to path: String) throws(Errno) {
        let file = try OwnedDescriptor(opening: FilePath(path), O_WRONLY)
        // One write is one command to the kernel, which takes all of it or none.
        try file.withDescriptor { file throws(Errno) in
            try FileContents.write(Array(text.utf8)[...], to: file)
        }
    }
}
