// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc

/// Whether this process is in a chroot: there the kernel makes no user namespace for anybody, so no sandbox.
///
/// Source: man 2 clone, `EPERM` of `CLONE_NEWUSER`.
enum ChrootCheck {
    /// The check, as this process stands.
    static func run() -> DoctorReport.Check {
        let mounts = HostFile.text(of: "/proc/self/mountinfo", longest: 1 << 20) ?? ""
        return check(isChroot: !hasRootMount(mounts) || differsFromFirst())
    }

    static func check(isChroot: Bool) -> DoctorReport.Check {
        .init(
            name: "chroot",
            isOK: !isChroot,
            detail: isChroot
                ? "in a chroot the kernel makes no user namespaces, not even for root: no sandbox can start"
                : "none",
            remedy: """
                enter the tree by pivot_root instead: `systemd-nspawn -D TREE`, a container, \
                or `bwrap --dev-bind TREE / --proc /proc`
                """
        )
    }

    /// Whether `mountinfo` shows the mount that is `/`; the paths in it are those that this process sees.
    ///
    /// A chroot into a directory has none. An unreadable file proves nothing.
    static func hasRootMount(_ mountinfo: String) -> Bool {
        let points = mountinfo.split(separator: "\n").map { $0.split(separator: " ").dropFirst(4).first }
        return points.isEmpty || points.contains("/")
    }

    /// Whether the first process, of the same mount namespace, has another root; false where it may not be looked at.
    private static func differsFromFirst() -> Bool {
        let own = HostFile.linkTarget(of: "/proc/self/ns/mnt")
        guard own != nil, own == HostFile.linkTarget(of: "/proc/1/ns/mnt") else { return false }
        var (ours, first) = (stat(), stat())
        guard stat("/", &ours) == 0, stat("/proc/1/root/.", &first) == 0 else { return false }
        return ours.st_ino != first.st_ino || ours.st_dev != first.st_dev
    }
}
