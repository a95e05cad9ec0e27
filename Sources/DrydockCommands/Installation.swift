// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockSandbox
internal import DrydockWorker
internal import FoundationEssentials
internal import SystemPackage

/// Where this program and what belongs to it are.
struct Installation {
    /// The running program, links resolved.
    let program: FilePath

    init() throws {
        do {
            program = FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        } catch {
            throw CommandProblem(.bug, "/proc/self/exe", why: "\(error)", remedy: "is /proc mounted?")
        }
    }

    /// The sandbox's launcher, with a control group made ready for it; a problem that says where `drydock-jail` was looked for when there is none.
    func launcher() throws -> JailLauncher {
        HostCgroup.prepare()
        do throws(SandboxError) {
            return try JailLauncher()
        } catch {
            throw error.problem("the sandbox", command: "drydock-jail")
        }
    }

    /// What attacks sandboxes of that policy.
    func prover(policy: Policy) throws -> SandboxProver {
        do throws(SandboxError) {
            return SandboxProver(
                launcher: try JailLauncher(),
                probe: try JailLocation.findProbe(),
                policy: policy
            )
        } catch {
            throw error.problem("the proof of the sandbox", command: "drydock-probe")
        }
    }

    /// Removes what sandboxes of a killed worker left in the kernel.
    ///
    /// Only while no other worker runs.
    func reapSandboxes() throws {
        let launcher = try launcher()
        do throws(SandboxError) {
            try launcher.reapLeftovers()
        } catch {
            throw error.problem("leftovers of earlier sandboxes", command: "drydock-jail")
        }
    }

    /// The plugins that come with it: beside an installed program, or in the checkout it was built in.
    var plugins: String? {
        let folder = program.removingLastComponent()
        let installed = folder.appending("../share/drydock/plugins").string
        if FileManager.default.fileExists(atPath: installed) { return installed }
        var checkout = folder
        while let name = checkout.lastComponent {
            if name.string == ".build" { return checkout.removingLastComponent().appending("plugins").string }
            checkout.removeLastComponent()
        }
        return nil
    }

    /// Directories with libraries that this program loaded and that a sandbox would not show by itself: where Swift's
    /// own are, when it was built without a copy of them inside.
    static func libraries() -> [String] {
        guard let maps = HostFile.text(of: "/proc/self/maps", longest: 4 << 20) else { return [] }
        let shown = ["/usr/", "/lib", "/bin/", "/sbin/", "/opt/"]
        let files = maps.split(separator: "\n").compactMap { line -> FilePath? in
            guard let start = line.firstIndex(of: "/") else { return nil }
            let path = String(line[start...])
            return path.contains(".so") && !shown.contains(where: path.hasPrefix) ? FilePath(path) : nil
        }
        return Set(files.map { $0.removingLastComponent().string }).sorted()
    }

    /// `PATH` inside a sandbox.
    static func pathInside(toolchain: [String]) -> String {
        let host = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return StepEnvironment.path(host: host, toolchain: toolchain)
    }

    /// Whom the files of a workspace belong to: as root, the user that sandboxes are mapped to.
    static var workspaceOwner: FileOwner? {
        let identity = SandboxIdentity.current
        return identity.isForeign ? FileOwner(user: identity.hostUser, group: identity.hostGroup) : nil
    }
}
