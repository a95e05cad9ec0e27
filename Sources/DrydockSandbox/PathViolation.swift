// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// Files that a sandbox did not let be written or had none of, read off what programs say.
///
/// The kernel tells nobody of a path that it refuses, and a path that is not there is an ordinary thing. What is left is the
/// complaint of the program, held against what the sandbox really mounts: only where both agree there was a violation.
package enum PathViolation {
    /// Read off lines of output; each path once, at most eight.
    package static func all(in output: [String], of spec: SandboxSpec) -> [Violation] {
        let mounts = MountTable(spec)
        var found: [Violation] = []
        for line in output {
            guard let complaint = Complaint(line) else { continue }
            for path in complaint.paths {
                guard let violation = violation(complaint.kind, path, mounts) else { continue }
                if !found.contains(where: { $0.target == violation.target }) { found.append(violation) }
            }
        }
        return Array(found.prefix(8))
    }

    private static func violation(
        _ kind: Complaint.Kind,
        _ path: String,
        _ mounts: MountTable
    ) -> Violation? {
        if let absent = Absent.all.first(where: { path == $0.path || path.hasPrefix($0.path + "/") }) {
            return Violation(call: "open", target: path, error: kind.error, wants: absent.wants)
        }
        guard kind != .missing, !mounts.isWritable(path) else { return nil }
        return Violation(call: "write", target: path, error: kind.error, wants: Place(path).wants)
    }

    /// A part of the file system that can not be written, and what to do instead.
    private struct Place {
        let wants: String

        init(_ path: String) {
            if path.hasPrefix("/proc") || path.hasPrefix("/sys") {
                wants = "to change a setting of the kernel: those are the machine's, for its operator to set"
            } else if path.hasPrefix("/etc") {
                wants = "to change the system's configuration: give the tool a file of the project's own"
            } else if path.hasPrefix("/home") || path.hasPrefix("/root") {
                wants = "a home directory: that is $HOME here"
            } else if path.hasPrefix("/dev") {
                wants = "to make a device: use those of /dev that are there"
            } else {
                wants = """
                    to write outside of the project: install below $DRYDOCK_OUT (--prefix, DESTDIR) or $HOME (--user), \
                    and keep what is temporary in /tmp
                    """
            }
        }
    }

    /// What there is on an ordinary machine and never in a sandbox.
    private struct Absent {
        let path: String
        let wants: String

        static let all = [
            Absent(path: "/var/run/docker.sock", wants: docker),
            Absent(path: "/run/docker.sock", wants: docker),
            Absent(path: "/run/podman", wants: docker),
            Absent(path: "/dev/fuse", wants: "to mount a file system of its own: unpack it instead"),
            Absent(
                path: "/dev/kvm",
                wants: "to run a virtual machine with the processor's help: emulate it (slower)"
            ),
            Absent(path: "/dev/net", wants: "a network device of its own"),
            Absent(path: "/dev/dri", wants: "the graphics card: render in software"),
            Absent(path: "/dev/snd", wants: "the sound card: use a null device"),
            Absent(path: "/dev/loop-control", wants: "to mount an image: unpack it instead"),
            Absent(path: "/var/lib/dpkg", wants: packages), Absent(path: "/var/lib/apt", wants: packages),
            Absent(path: "/var/cache/apt", wants: packages), Absent(path: "/var/lib/rpm", wants: packages),
            Absent(
                path: "/sys/fs/cgroup",
                wants: "to change control groups: those are the sandbox's own limits"
            ),
            Absent(path: "/sys", wants: "the machine's devices (/sys), of which there are none here"),
        ]

        private static let docker = "Docker: a build is a container already; run the commands themselves"
        private static let packages = """
            to install packages of the system: ask the operator to install them where builds run, or take the \
            language's own packages
            """
    }
}

/// Which paths can be written inside.
private struct MountTable {
    private let mounts: [(target: String, isWritable: Bool)]

    init(_ spec: SandboxSpec) {
        let own = [("/tmp", true), ("/dev/shm", true), ("/dev/mqueue", true), ("/dev/pts", true)]
        let devices = ["null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "fd"]
        mounts =
            own + devices.map { ("/dev/\($0)", true) } + [("/proc/self", true)]
            + spec.mounts.map { ($0.target, $0.access == .readWrite) }
    }

    /// By the longest mount that the path lies in.
    func isWritable(_ path: String) -> Bool {
        mounts.filter { path == $0.target || path.hasPrefix($0.target + "/") }
            .max { $0.target.utf8.count < $1.target.utf8.count }?
            .isWritable ?? false
    }
}

/// A line in which a program says that it could not have a file.
private struct Complaint {
    enum Kind {
        case readOnly, forbidden, missing

        var error: String {
            switch self {
            case .readOnly: "EROFS"
            case .forbidden: "EACCES"
            case .missing: "ENOENT"
            }
        }
    }

    let kind: Kind
    /// The absolute paths in it, as they stand.
    let paths: [String]

    private static let sayings: [(String, Kind)] = [
        ("read-only file system", .readOnly), ("erofs", .readOnly),
        ("permission denied", .forbidden), ("operation not permitted", .forbidden), ("eacces", .forbidden),
        ("not writable", .forbidden), ("cannot create directory", .forbidden),
        ("cannot make directory", .forbidden),
        ("no such file or directory", .missing), ("enoent", .missing),
        ("is the docker daemon running", .missing),
        ("could not open", .missing), ("no such device", .missing),
    ]

    init?(_ line: String) {
        let lower = line.lowercased()
        guard let kind = Self.sayings.first(where: { lower.contains($0.0) })?.1 else { return nil }
        self.kind = kind
        paths = Self.paths(in: line)
        if paths.isEmpty { return nil }
    }

    /// Words that begin with `/`: behind a space, a quote or a bracket, up to the next of them or a colon.
    private static func paths(in line: String) -> [String] {
        let ends: Set<Character> = [
            " ", "\t", "'", "\"", "`", "(", ")", "[", "]", "<", ">", ",", ";", ":", "‘", "’", "=", "“", "”",
        ]
        let words = line.split(whereSeparator: ends.contains)
        // unix:///var/run/docker.sock is two words: `unix` and a path with more slashes than it needs.
        return words.filter { $0.first == "/" && $0.count > 1 }.prefix(8).map { word in
            let trimmed = word.drop { $0 == "/" }
            return "/" + (trimmed.hasSuffix(".") ? trimmed.dropLast() : trimmed)
        }
    }
}
