// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
package import SystemPackage

/// Finds out what this machine can do by trying it: a real sandbox, started and ended.
package enum SandboxDoctor {
    /// What Drydock itself needs of the machine, besides sandboxes.
    package static func host() -> [DoctorReport.Check] { [InotifyCheck.run()] }

    /// Examines; takes some milliseconds.
    ///
    /// `folder`: where workspaces will lie; nil = a temporary directory.
    package static func examine(disksIn folder: FilePath? = nil) async -> DoctorReport {
        var checks = [ChrootCheck.run(), userNamespaces(), seccomp()]
        let level: SandboxLevel
        do throws(SandboxError) {
            let jail = try JailLocation.find()
            checks.insert(.init(name: "jail", isOK: true, detail: "\(jail)"), at: 0)
            let capabilities = try await tryOut(jail)
            checks += layers(capabilities) + [DiskImageCheck.report(in: folder)]
            level = capabilities.level
        } catch {
            checks.append(failed(error))
            level = error.level
        }
        return DoctorReport(
            level: level,
            kernel: HostFile.text(of: "/proc/sys/kernel/osrelease") ?? "unknown",
            identity: .current,
            checks: checks
        )
    }

    private static func tryOut(_ jail: FilePath) async throws(SandboxError) -> SandboxCapabilities {
        let spec = SandboxSpec(
            argv: ["true"],
            environment: ["PATH": "/usr/bin:/bin"],
            workingDirectory: InsidePath.temporary
        )
        let streams: SandboxStreams
        do {
            streams = SandboxStreams(stdin: try .null(), stdout: try .null(), stderr: try .null())
        } catch {
            throw .host(call: "open /dev/null", errno: Int(error.rawValue))
        }
        let process = try await JailLauncher(jail: jail).start(spec, streams: streams)
        let report = await process.report()
        guard report.verdict == .exit(0), let capabilities = process.capabilities else {
            throw .host(call: "true in a sandbox: \(report.verdict)", errno: 0)
        }
        return capabilities
    }

    private static func userNamespaces() -> DoctorReport.Check {
        let restricted = HostFile.text(of: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
        let cloneForbidden = HostFile.text(of: "/proc/sys/kernel/unprivileged_userns_clone") == "0"
        let maximum = HostFile.text(of: "/proc/sys/user/max_user_namespaces") ?? "0"
        let name = "user-namespaces"
        if maximum == "0" {
            let remedy = "sysctl -w user.max_user_namespaces=15000"
            return .init(name: name, isOK: false, detail: "user.max_user_namespaces is 0", remedy: remedy)
        }
        if SandboxIdentity.current.isForeign {
            return .init(name: name, isOK: true, detail: "as root, \(maximum) at most")
        }
        if cloneForbidden {
            let remedy = "sysctl -w kernel.unprivileged_userns_clone=1"
            return .init(name: name, isOK: false, detail: "forbidden to ordinary users", remedy: remedy)
        }
        let detail =
            restricted ? "AppArmor lets only programs with a profile make them" : "\(maximum) at most"
        return .init(
            name: name,
            isOK: !restricted,
            detail: detail,
            remedy: """
                write /etc/apparmor.d/drydock-jail with \
                `profile drydock-jail /**/drydock-jail flags=(unconfined) { userns, }` \
                and run `apparmor_parser -r /etc/apparmor.d/drydock-jail`
                """
        )
    }

    private static func seccomp() -> DoctorReport.Check {
        let actions = HostFile.text(of: "/proc/sys/kernel/seccomp/actions_avail")
        return .init(
            name: "seccomp",
            isOK: actions?.contains("kill_process") ?? false,
            detail: actions ?? "no filters",
            remedy: "use a kernel with CONFIG_SECCOMP_FILTER, 4.14 or newer"
        )
    }

    /// What a sandbox that ran has told.
    private static func layers(_ found: SandboxCapabilities) -> [DoctorReport.Check] {
        let groups = """
            run as root, or as a service with Delegate=yes, or under \
            `systemd-run --user --scope -p Delegate=yes`; in a container --cgroupns=private and a writable /sys/fs/cgroup
            """
        let limited = { (isOK: Bool) in isOK ? "kept by a cgroup" : "no cgroup can be made here" }
        return [
            .init(name: "namespaces", isOK: true, detail: "user (two), pid, mount, net, ipc, uts, cgroup"),
            .init(name: "proc", isOK: true, detail: "fresh and masked"),
            .init(
                name: "landlock",
                isOK: found.hasLandlock,
                detail: found.landlock == 0 ? "none: no second wall around files" : "ABI \(found.landlock)",
                remedy: "use a kernel of 5.19 or newer with landlock in its lsm= list"
            ),
            .init(
                name: "memory-limit",
                isOK: found.limitsMemory,
                detail: found.limitsMemory
                    ? limited(true)
                    : "no cgroup can be made here: each process is limited by itself, "
                        + "and shared mappings, memfds, sockets and pipes are not",
                remedy: groups
            ),
            .init(
                name: "process-limit",
                isOK: found.limitsProcesses,
                detail: limited(found.limitsProcesses),
                remedy: groups
            ),
            .init(name: "cpu-limit", isOK: found.limitsCPU, detail: limited(found.limitsCPU), remedy: groups),
        ]
    }

    private static func failed(_ error: SandboxError) -> DoctorReport.Check {
        switch error {
        case .jailNotFound(let places):
            return .init(
                name: "jail",
                isOK: false,
                detail: "drydock-jail is not in " + places.joined(separator: ", "),
                remedy: "build it with `make jail`, or name it in DRYDOCK_JAIL"
            )
        case .setupFailed(let failure):
            return .init(name: "sandbox", isOK: false, detail: "\(failure)", remedy: failure.hint)
        case .execFailed(let program, let errno):
            let detail = "\(program): \(Errno(rawValue: CInt(clamping: errno)))"
            return .init(name: "sandbox", isOK: false, detail: detail, remedy: "install coreutils")
        case .invalidSpec(let why):
            return .init(name: "sandbox", isOK: false, detail: why, remedy: "this is a bug, please report it")
        case .host(let call, let errno):
            let detail = "\(call): \(Errno(rawValue: CInt(clamping: errno)))"
            return .init(name: "sandbox", isOK: false, detail: detail, remedy: "see the system's log")
        }
    }
}

extension SandboxError {
    /// What is left where a sandbox failed with this: all but `/proc`, or nothing.
    fileprivate var level: SandboxLevel {
        guard case .setupFailed(let failure) = self, failure.step == .kernelFiles else {
            return .insufficient
        }
        return .withoutProc
    }
}
