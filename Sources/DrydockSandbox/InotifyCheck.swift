// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc

/// How much of inotify is left for this user: every Drydock process takes an instance to hear of changes by.
///
/// Source: man 7 inotify.
enum InotifyCheck {
    /// What a probe could get.
    struct Left: Hashable {
        var instances: Int
        var watches: Int
    }

    /// As many are tried: a few more than are needed, so that nobody else goes without meanwhile.
    static let tried = 8
    /// Server, worker and a command or two.
    static let needed = 4

    /// The check, by trying.
    static func run() -> DoctorReport.Check {
        let limit = { (name: String) in HostFile.text(of: "/proc/sys/user/max_inotify_\(name)") ?? "unknown" }
        return check(probe(), instances: limit("instances"), watches: limit("watches"))
    }

    static func check(_ left: Left, instances: String, watches: String) -> DoctorReport.Check {
        let words = { (count: Int) in count >= tried ? "\(tried) or more" : "\(count)" }
        return .init(
            name: "inotify",
            isOK: left.instances >= needed && left.watches >= needed,
            detail: """
                left for this user: \(words(left.instances)) of \(instances) instances, \
                \(words(left.watches)) of \(watches) watches
                """,
            remedy: left.instances < needed
                ? "end programs that hold some, or allow more: sysctl -w fs.inotify.max_user_instances=1024"
                : "end programs that hold some, or allow more: sysctl -w fs.inotify.max_user_watches=524288",
            isVital: left.instances == 0 || left.watches == 0
        )
    }

    /// Takes up to `tried` instances with a watch in each, and gives them back.
    private static func probe() -> Left {
        var left = Left(instances: 0, watches: 0)
        var descriptors: [CInt] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        for _ in 0..<tried {
            let descriptor = inotify_init1(CInt(IN_CLOEXEC))
            guard descriptor >= 0 else { break }
            descriptors.append(descriptor)
            left.instances += 1
            if inotify_add_watch(descriptor, "/", UInt32(IN_DELETE_SELF)) >= 0 { left.watches += 1 }
        }
        // Without an instance watches can not be tried: they are not what is missing.
        if left.instances < tried, left.watches == left.instances { left.watches = tried }
        return left
    }
}
