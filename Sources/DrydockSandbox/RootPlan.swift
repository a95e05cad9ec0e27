// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire
internal import DrydockModel
internal import DrydockOS
internal import SystemPackage

/// What the jail puts below the sandbox's `/`, in order.
struct RootPlan {
    /// One thing at one place, as sbx_spec.h has it.
    struct Entry: Hashable {
        var kind: UInt32
        var options: UInt32 = 0
        var source = ""
        var target: String
        var content = ""

        static func bind(_ source: String, at target: String, options: UInt32 = 0) -> Entry {
            Entry(kind: SBX_ENTRY_BIND.rawValue, options: options, source: source, target: target)
        }

        static func file(_ target: String, _ content: String) -> Entry {
            Entry(kind: SBX_ENTRY_FILE.rawValue, target: target, content: content)
        }
    }

    private(set) var entries: [Entry] = []

    /// Where programs and libraries are; on a merged `/usr` most are links into it.
    private static let toolchain = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt"]
    /// What the toolchain needs of `/etc`; nothing else of the host's is seen.
    private static let settings = ["/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache"]
    /// Names and numbers that libc and web tools look up; shown where they are plain files.
    private static let tables = ["/etc/services", "/etc/protocols", "/etc/mime.types"]
    /// What the jail makes itself.
    private static let own: Set<String> = ["dev", "proc", "sys", "tmp", "w", "plugin", "plugin-lib", "run"]
    /// What is made up in `/etc`, whatever a root file system has there.
    private static let synthetic: Set<String> = [
        "passwd", "group", "hosts", "nsswitch.conf", "resolv.conf", "hostname",
    ]

    init(of spec: SandboxSpec) {
        switch spec.root {
        case .hostToolchain(let additional):
            for path in Self.toolchain { addCopy(of: path, at: path) }
            for path in Self.settings {
                entries.append(.bind(path, at: path, options: SBX_ENTRY_OPTIONAL.rawValue))
            }
            for path in Self.tables where HostFile.kind(of: path) == .other {
                entries.append(.bind(path, at: path, options: SBX_ENTRY_OPTIONAL.rawValue))
            }
            addSyntheticFiles(of: spec)
            for path in additional { entries.append(.bind(path, at: path)) }
        case .directory(let root):
            for name in HostFile.names(in: root).filter({ !Self.own.contains($0) && $0 != "etc" }).sorted() {
                addCopy(of: "\(root)/\(name)", at: "/\(name)")
            }
            addSettings(of: root)
            addSyntheticFiles(of: spec)
        }
        if !spec.mounts.contains(where: { $0.target == InsidePath.temporary }) {
            entries.append(
                Entry(
                    kind: SBX_ENTRY_SCRATCH.rawValue,
                    options: SBX_ENTRY_WRITABLE.rawValue,
                    target: InsidePath.temporary
                )
            )
        }
        for mount in spec.mounts { add(mount) }
    }

    private mutating func add(_ mount: SandboxMount) {
        var options: UInt32 = 0
        if mount.access == .readWrite { options |= SBX_ENTRY_WRITABLE.rawValue }
        if mount.execution == .denied { options |= SBX_ENTRY_NO_EXEC.rawValue }
        entries.append(.bind(mount.source, at: mount.target, options: options))
    }

    /// A link as a link, everything else as a read-only mount, nothing where there is nothing.
    private mutating func addCopy(of path: String, at target: String) {
        switch HostFile.kind(of: path) {
        case .link(let destination):
            entries.append(Entry(kind: SBX_ENTRY_LINK.rawValue, target: target, content: destination))
        case .other: entries.append(.bind(path, at: target))
        case .missing: break
        }
    }

    /// The `/etc` of a root file system, entry by entry, without what is made up: that is put beside them.
    private mutating func addSettings(of root: String) {
        // A link would be followed, to wherever on the host it leads.
        guard HostFile.kind(of: "\(root)/etc") == .other else { return }
        let names = HostFile.names(in: "\(root)/etc").filter { !Self.synthetic.contains($0) }
        for name in names.sorted() { addCopy(of: "\(root)/etc/\(name)", at: "/etc/\(name)") }
    }

    private mutating func addSyntheticFiles(of spec: SandboxSpec) {
        let hostName = spec.hostName
        // One that answers at once, or not at all: there is no other to try.
        let nameServer =
            spec.policy.network.isNone
            ? "# There is no name server in here.\n" : "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n"
        let home = InsidePath.home
        entries += [
            .file(
                "/etc/passwd",
                "build:x:1000:1000:build:\(home):/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"
            ),
            .file("/etc/group", "build:x:1000:\nnogroup:x:65534:\n"),
            .file("/etc/hosts", "127.0.0.1 localhost \(hostName)\n::1 localhost \(hostName)\n"),
            .file("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
            .file("/etc/resolv.conf", nameServer),
        ]
    }
}
